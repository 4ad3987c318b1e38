//! The laws, over what is left when a story is over.

use super::*;
pub(super) fn numbers(record: &Record, key: &str) -> Vec<u64> {
    let text = record.data.get(key);
    text.map(|text| text.decode().unwrap()).unwrap_or_default()
}

pub(super) fn check(story: &Story, notes: &Shared) {
    let gated = Gated::new();
    let (layer, _) = over(gated.clone());
    let jars: Vec<Jar> = vec![Jar::default(), Jar::default()];

    // Alice logs in, in peace. Her credential is in both jars.
    let first = Plan {
        jar: 0,
        tasks: vec![Vec::new()],
        waits: true,
    };
    let calm = Story {
        requests: Vec::new(),
        schedule: Vec::new(),
        faults: false,
        drops: false,
    };
    let mut login = spawn(99, &first, &layer, &jars[0], notes);
    let (jar, inner) = (jars[0].clone(), layer.clone());
    login.clear();
    login.push(Running::new(99, "login".to_owned(), async move {
        let client = Client::default();
        let answer = crate::client::send(&inner, client.request(Method::POST), async |session| {
            session.login("alice")?;
            session.insert("code", 7)?;
            session.insert("bag", Vec::<u64>::new())
        })
        .await;
        let mut client = client;
        client.keep(&answer);
        *jar.borrow_mut() = client.credential().map(str::to_owned);
    }));
    run(&gated, login, &calm, notes);
    let credential = jars[0].borrow().clone();
    *jars[1].borrow_mut() = credential;
    notes.borrow_mut().trace.clear();

    let plans = story.requests.iter().enumerate();
    let running = plans.flat_map(|(at, plan)| spawn(at, plan, &layer, &jars[plan.jar], notes));
    let running: Vec<_> = running.collect();
    run(&gated, running, story, notes);

    let now = Timestamp::default();
    gated.check_ended(now);
    let live = gated.live(now);
    let (issued, ended) = gated.world(|world| (world.issued.clone(), world.ended.clone()));

    // The jars' credentials open a session, unless that was ended.
    for jar in &jars {
        if let Some(credential) = jar.borrow().as_deref() {
            let presented = Presented {
                text: credential.as_bytes(),
                carrier: "__Host-sid",
                arrived: now,
            };
            let Step::Ready(opened) = gated.1.open(&presented, now) else {
                unreachable!("memory does not wait")
            };
            let opened = opened.into_inner().unwrap();
            match opened.arrival {
                Arrival::Resumed | Arrival::Ended => {}
                other => panic!("a jar's credential is {other}"),
            }
        }
    }

    let notes = notes.borrow();
    assert!(notes.taken <= 1, "a code was handed out twice");
    let mut found = BTreeSet::new();
    for record in &live {
        let bag = numbers(record, "bag");
        let unique: BTreeSet<_> = bag.iter().copied().collect();
        assert_eq!(
            unique.len(),
            bag.len(),
            "an update was applied twice: {bag:?}"
        );
        let subject = record.subject.as_deref();
        let k = record
            .data
            .get("k")
            .map(|text| text.decode::<u64>().unwrap());
        for id in bag.iter().copied().chain(k) {
            let writer = notes.subjects[&id].as_deref();
            assert!(
                writer.is_none() || writer == subject,
                "{id} was written for {writer:?} and is {subject:?}'s"
            );
        }
        if issued.contains(&record.sid) {
            found.extend(bag.iter().copied());
        }
        for update in &notes.updates {
            let is_there = unique.contains(&update.id);
            assert!(
                !is_there || update.known != Known::Refused,
                "refused and done"
            );
        }
    }
    let destroys = |what: &Do| matches!(what, Do::Clear | Do::Login | Do::Logout);
    let mut all = story
        .requests
        .iter()
        .flat_map(|plan| plan.tasks.iter().flatten());
    // The client lost its session with a login that nobody answered.
    let is_excused = |(sid, by): &(SessionId, usize)| {
        issued.contains(sid) && !notes.answers.get(by).is_some_and(StatusCode::is_success)
    };
    let unheard_end = gated.world(|world| world.unheard_end);
    if !all.any(destroys) && !unheard_end && !ended.iter().any(is_excused) {
        for update in &notes.updates {
            let is_there = found.contains(&update.id);
            assert!(
                is_there || update.known != Known::Acknowledged,
                "{} was acknowledged and is lost",
                update.id
            );
        }
    }
    if !story.faults && !story.drops {
        for status in notes.answers.values() {
            assert!(matches!(status.as_u16(), 200 | 409), "{status}");
        }
        assert_eq!(notes.answers.len(), story.requests.len());
    }
}
