//! Random programs under random schedules: what holds whatever the order.
//!
//! Requests and tasks that share a handle are polled by hand, only when their waker was called.
//! Every operation of the strategy waits twice: until the schedule lets it take effect, and until
//! the schedule lets its answer be seen. One whose caller is gone may still take effect.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use http::header::SET_COOKIE;
use http::{Method, Request, StatusCode};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::strategy::Strategy as _;
use sessile::{
    Arrival, ErrorKind, Guarantees, LazySession, Lifetime, Session, SessionId, SessionLayer,
    Sticky, Strategy, Timestamp,
};
use sessile_core::{
    Created, Error, Opened, Outcome, Patch, Presented, Record, Result, Step, Verifier,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::client::{Client, count, over};
use crate::probe::{Call, Probe};

// === the strategy ===

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Not applied, and says so.
    Unavailable,
    /// Not applied, and nobody knows.
    Lost,
    /// Applied, and nobody knows.
    Unheard,
}

/// Sticky, with every operation in the hands of the schedule.
#[derive(Clone)]
struct Gated(Arc<Mutex<World>>, Arc<Sticky>);

#[derive(Default)]
struct World {
    ops: Vec<Op>,
    /// Whose future is being polled.
    polled: usize,
    created: HashMap<SessionId, Arc<Record>>,
    issued: HashSet<SessionId>,
    /// Which ones were ended, and by whom.
    ended: Vec<(SessionId, usize)>,
    /// The last state of a session, which an end gives back once, was seen by nobody.
    unheard_end: bool,
}

/// An operation under way.
struct Op {
    effect: Option<Box<dyn FnOnce(Option<Fault>) + Send>>,
    answer: Box<dyn FnOnce() + Send>,
    is_dropped: Arc<AtomicBool>,
    name: &'static str,
}

struct Slot<T> {
    result: Option<Result<T>>,
    answered: bool,
    waker: Option<Waker>,
}

struct Answer<T>(Arc<Mutex<Slot<T>>>, Arc<AtomicBool>);

impl<T> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let mut slot = self.0.lock().unwrap();
        if slot.answered {
            return Poll::Ready(slot.result.take().unwrap());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

impl Gated {
    fn new() -> Self {
        Gated(Arc::default(), Arc::new(Sticky::new()))
    }

    fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.0.lock().unwrap())
    }

    fn gate<T: Send + 'static>(
        &self,
        name: &'static str,
        operation: impl FnOnce(&Gated, usize) -> Step<Result<T>> + Send + 'static,
    ) -> Step<Result<T>> {
        let slot = Arc::new(Mutex::new(Slot {
            result: None,
            answered: false,
            waker: None,
        }));
        let is_dropped = Arc::new(AtomicBool::new(false));
        let (done, told, this) = (slot.clone(), slot.clone(), self.clone());
        let by = self.world(|world| world.polled);
        let effect = move |fault: Option<Fault>| {
            let mut result = None;
            if !matches!(fault, Some(Fault::Unavailable | Fault::Lost)) {
                let Step::Ready(ready) = operation(&this, by) else {
                    unreachable!("memory does not wait")
                };
                result = Some(ready.into_inner());
            }
            let kind = match fault {
                None => None,
                Some(Fault::Unavailable) => Some(ErrorKind::Unavailable),
                Some(Fault::Lost | Fault::Unheard) => Some(ErrorKind::Unknown),
            };
            if let Some(kind) = kind {
                result = Some(Err(Error::new(kind, "the schedule says so")));
            }
            done.lock().unwrap().result = result;
        };
        let answer = move || {
            let mut slot = told.lock().unwrap();
            slot.answered = true;
            let waker = slot.waker.take();
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        let op = Op {
            effect: Some(Box::new(effect)),
            answer: Box::new(answer),
            is_dropped: is_dropped.clone(),
            name,
        };
        self.world(|world| world.ops.push(op));
        Step::wait(Answer(slot, is_dropped))
    }

    /// The record as it is, if it is live.
    fn stored(&self, record: &Arc<Record>, now: Timestamp) -> Option<Arc<Record>> {
        let Step::Ready(ready) = self.1.reload(record, now) else {
            unreachable!("memory does not wait")
        };
        ready.into_inner().unwrap()
    }

    fn live(&self, now: Timestamp) -> Vec<Arc<Record>> {
        let created = self.world(|world| world.created.clone());
        let live = created
            .values()
            .filter_map(|record| self.stored(record, now));
        live.collect()
    }

    fn check_ended(&self, now: Timestamp) {
        let (created, ended) = self.world(|world| (world.created.clone(), world.ended.clone()));
        for (sid, _) in ended {
            if let Some(record) = created.get(&sid) {
                assert!(self.stored(record, now).is_none(), "an ended one is back");
            }
        }
    }
}

impl Strategy for Gated {
    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        self.1.attach(lifetime, now);
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let (text, carrier) = (presented.text.to_owned(), presented.carrier.to_owned());
        let arrived = presented.arrived;
        self.gate("open", move |this, _| {
            let (text, carrier) = (&*text, &*carrier);
            let presented = Presented {
                text,
                carrier,
                arrived,
            };
            this.1.open(&presented, now)
        })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.gate("create", move |this, _| {
            let kept = record.clone();
            this.world(|world| world.created.insert(kept.sid, kept));
            this.1.create(record, now)
        })
    }

    fn apply(&self, record: &Arc<Record>, patch: &Patch, now: Timestamp) -> Step<Result<Outcome>> {
        let (record, patch) = (record.clone(), patch.clone());
        self.gate("apply", move |this, _| this.1.apply(&record, &patch, now))
    }

    fn end(&self, sid: SessionId, until: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        self.gate("end", move |this, by| {
            this.world(|world| world.ended.push((sid, by)));
            this.1.end(sid, until)
        })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let record = record.clone();
        self.gate("reload", move |this, _| this.1.reload(&record, now))
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        self.world(|world| world.issued.insert(record.sid));
        self.1.issue(record, verifier, carrier)
    }

    fn guarantees(&self) -> Guarantees {
        self.1.guarantees()
    }
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").finish_non_exhaustive()
    }
}

// === the programs ===

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Insert,
    Remove,
    Update,
    UpdateNow,
    Take,
    Renew,
    Relogin,
    Commit,
    Reload,
    Yield,
    Clear,
    Login,
    Logout,
}

/// One request: its tasks, and whether the response waits for all of them or for the first alone.
#[derive(Clone, Debug)]
struct Plan {
    jar: usize,
    tasks: Vec<Vec<Do>>,
    waits: bool,
}

#[derive(Clone, Debug)]
struct Story {
    requests: Vec<Plan>,
    schedule: Vec<u8>,
    faults: bool,
    drops: bool,
}

/// How much is known of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Acknowledged,
    Maybe,
    Refused,
}

struct Update {
    id: u64,
    request: usize,
    known: Known,
}

/// What the programs were told.
#[derive(Default)]
struct Notes {
    next: u64,
    updates: Vec<Update>,
    /// Who was logged in when this value was written.
    subjects: BTreeMap<u64, Option<String>>,
    taken: u64,
    answers: BTreeMap<usize, StatusCode>,
    trace: Vec<String>,
}

impl Notes {
    fn fresh(&mut self, session: &Session) -> u64 {
        self.next += 1;
        let subject = session.subject().map(|subject| subject.to_string());
        self.subjects.insert(self.next, subject);
        self.next
    }

    fn begin(&mut self, session: &Session, request: usize) -> u64 {
        let id = self.fresh(session);
        let known = Known::Nothing;
        self.updates.push(Update { id, request, known });
        id
    }

    fn settle(&mut self, request: usize, up_to: u64, to: Known) {
        for update in &mut self.updates {
            if update.request == request && update.id <= up_to && update.known == Known::Nothing {
                update.known = to;
            }
        }
    }

    /// A commit that began when `up_to` was the last id came to this.
    fn committed<T>(&mut self, request: usize, up_to: u64, result: &sessile::Result<T>) {
        match result {
            Ok(_) => self.settle(request, up_to, Known::Acknowledged),
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            Err(_) => self.settle(request, u64::MAX, Known::Maybe),
        }
    }
}

type Shared = Rc<RefCell<Notes>>;

fn push(id: u64) -> impl Fn(&mut Vec<u64>) + Send + Sync + 'static {
    move |bag| bag.push(id)
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn perform(what: Do, request: usize, session: &Session, notes: &Shared) {
    let last = notes.borrow().next;
    match what {
        Do::Insert => {
            let id = notes.borrow_mut().fresh(session);
            let _ = session.insert("k", id);
        }
        Do::Remove => drop(session.remove("k")),
        Do::Clear => drop(session.clear()),
        Do::Renew => drop(session.renew()),
        Do::Relogin => drop(session.login("alice")),
        Do::Login => drop(session.login("bob")),
        Do::Logout => drop(session.logout()),
        Do::Yield => yield_once().await,
        Do::Update => {
            let id = notes.borrow_mut().begin(session, request);
            if session.update("bag", push(id)).is_err() {
                notes.borrow_mut().updates.last_mut().unwrap().known = Known::Refused;
            }
        }
        Do::UpdateNow => {
            let id = notes.borrow_mut().begin(session, request);
            let done = session.update_now("bag", push(id)).await;
            let mut notes = notes.borrow_mut();
            notes
                .trace
                .push(format!("r{request} update_now {id}: {done:?}"));
            notes.committed(request, id, &done);
        }
        Do::Take => {
            let got = session.take_now::<u64>("code").await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} take: {got:?}"));
            match &got {
                Ok(None) => {}
                Ok(Some(_)) => {
                    notes.taken += 1;
                    notes.committed(request, last, &got);
                }
                Err(_) => notes.committed(request, last, &got),
            }
        }
        Do::Commit => {
            let done = session.commit().await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} commit: {done:?}"));
            notes.committed(request, last, &done);
        }
        Do::Reload => {
            let done = session.reload().await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} reload: {done:?}"));
            notes.committed(request, 0, &done);
        }
    }
}

// === the schedule ===

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Running {
    request: usize,
    name: String,
    woken: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

impl Running {
    fn new(request: usize, name: String, future: impl Future<Output = ()> + 'static) -> Self {
        Running {
            request,
            name,
            woken: Arc::new(Flag(AtomicBool::new(true))),
            future: Box::pin(future),
        }
    }
}

type Jar = Rc<RefCell<Option<String>>>;

fn request_with(jar: &Jar) -> Request<String> {
    let mut client = Client::default();
    if let Some(credential) = &*jar.borrow() {
        client.present(credential);
    }
    client.request(Method::POST)
}

/// A request and its tasks, each to be polled on its own.
fn spawn(at: usize, plan: &Plan, layer: &SessionLayer, jar: &Jar, notes: &Shared) -> Vec<Running> {
    let mut all = Vec::new();
    let (mut givers, mut finishes) = (Vec::new(), Vec::new());
    for (number, task) in plan.tasks.iter().enumerate() {
        let (give, given) = tokio::sync::oneshot::channel::<Session>();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let (task, notes) = (task.clone(), notes.clone());
        givers.push(give);
        if number == 0 || plan.waits {
            finishes.push(finished);
        }
        let run = async move {
            let Ok(session) = given.await else { return };
            for what in task {
                perform(what, at, &session, &notes).await;
            }
            let _ = finish.send(());
        };
        all.push(Running::new(at, format!("r{at} task {number}"), run));
    }
    let (layer, jar, notes) = (layer.clone(), jar.clone(), notes.clone());
    let run = async move {
        let mut hands = Some((givers, finishes));
        let service = service_fn(|request: Request<String>| {
            let lazy = request.extensions().get::<LazySession>().unwrap().clone();
            let (givers, finishes) = hands.take().unwrap();
            async move {
                let session = match lazy.load().await {
                    Ok(session) => session,
                    Err(error) => return Ok::<_, Infallible>(error.response::<String>()),
                };
                for give in givers {
                    let _ = give.send(session.clone());
                }
                for finished in finishes {
                    let _ = finished.await;
                }
                Ok(http::Response::default())
            }
        });
        let request = request_with(&jar);
        let answer = layer.layer(service).oneshot(request).await.unwrap();
        let mut notes = notes.borrow_mut();
        let status = answer.status();
        let lines: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
        notes
            .trace
            .push(format!("r{at} answered {status} {lines:?}"));
        assert!(lines.len() <= 1);
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(lines.is_empty(), "a cookie with nobody knows what");
        }
        for line in lines {
            let line = line.to_str().unwrap();
            let value = line.split_once('=').unwrap().1;
            let value = value.split_once(';').map_or(value, |(value, _)| value);
            let removes = line.contains("Max-Age=0");
            *jar.borrow_mut() = (!removes).then(|| value.to_owned());
        }
        let known = if status.is_success() {
            Known::Acknowledged
        } else {
            Known::Maybe
        };
        notes.settle(at, u64::MAX, known);
        notes.answers.insert(at, status);
    };
    all.push(Running::new(at, format!("r{at}"), run));
    all
}

struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn next(&mut self) -> usize {
        self.0.next().copied().map_or(0, usize::from)
    }
}

/// Runs what is there to its end, in the order of the schedule.
fn run(gated: &Gated, mut running: Vec<Running>, story: &Story, notes: &Shared) {
    let mut bytes = Bytes(story.schedule.iter());
    let trace = |line: String| notes.borrow_mut().trace.push(line);
    for _ in 0..5_000 {
        let choice = bytes.next();
        if story.drops && choice >= 245 && !running.is_empty() {
            let one = bytes.next() % running.len();
            gated.world(|world| world.polled = running[one].request);
            let dropped = running.swap_remove(one);
            trace(format!("drop {}", dropped.name));
            if !dropped.name.contains("task") {
                // What nobody had committed is dropped with the request.
                let mut notes = notes.borrow_mut();
                notes.settle(dropped.request, u64::MAX, Known::Maybe);
            }
            drop(dropped);
            continue;
        }
        let ops = gated.world(|world| world.ops.len());
        let woken: Vec<_> = (0..running.len())
            .filter(|at| running[*at].woken.0.load(Ordering::SeqCst))
            .collect();
        if ops == 0 && woken.is_empty() {
            assert!(
                running.is_empty(),
                "hangs: {:?}",
                running.iter().map(|one| &one.name).collect::<Vec<_>>()
            );
            return;
        }
        let choice = choice % (ops + woken.len());
        if choice < woken.len() {
            let one = &mut running[woken[choice]];
            trace(format!("poll {}", one.name));
            gated.world(|world| world.polled = one.request);
            one.woken.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(one.woken.clone());
            let polled = one.future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                drop(running.remove(woken[choice]));
            }
            continue;
        }
        let at = choice - woken.len();
        let effect = gated.world(|world| world.ops[at].effect.take());
        let (name, is_dropped) = gated.world(|world| {
            let op = &world.ops[at];
            (op.name, op.is_dropped.load(Ordering::SeqCst))
        });
        if let Some(effect) = effect {
            let byte = bytes.next();
            if is_dropped && byte % 2 == 1 {
                trace(format!("{name} is never done"));
                gated.world(|world| world.ops.remove(at));
                continue;
            }
            let fault = match (story.faults && byte >= 225, byte % 3) {
                (false, _) => None,
                (true, 0) => Some(Fault::Unavailable),
                (true, 1) if name == "create" || name == "apply" => Some(Fault::Lost),
                (true, 2) if name != "open" && name != "reload" => Some(Fault::Unheard),
                (true, _) => Some(Fault::Unavailable),
            };
            trace(format!("{name} takes effect: {fault:?}"));
            if name == "end" && matches!(fault, Some(Fault::Unheard)) {
                gated.world(|world| world.unheard_end = true);
            }
            effect(fault);
            gated.check_ended(Timestamp::default());
        } else {
            trace(format!("{name} answers"));
            if name == "end" && is_dropped {
                gated.world(|world| world.unheard_end = true);
            }
            let op = gated.world(|world| world.ops.remove(at));
            (op.answer)();
        }
    }
    panic!("does not come to an end");
}

/// Tells a story on a session of Alice's, and checks what holds of all of them.
fn tell(story: &Story) {
    let notes = Shared::default();
    let told = notes.clone();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(story, &notes)));
    if let Err(panic) = result {
        eprintln!("{story:?}");
        for line in &told.borrow().trace {
            eprintln!("  {line}");
        }
        std::panic::resume_unwind(panic);
    }
}

fn numbers(record: &Record, key: &str) -> Vec<u64> {
    let text = record.data.get(key);
    text.map(|text| text.decode().unwrap()).unwrap_or_default()
}

fn check(story: &Story, notes: &Shared) {
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

fn story(ops: &'static [Do]) -> impl proptest::strategy::Strategy<Value = Story> {
    let task = prop::collection::vec(prop::sample::select(ops), 0..5);
    let tasks = prop::collection::vec(task, 1..3);
    let plan = (0..2_usize, tasks, any::<bool>()).prop_map(|(jar, tasks, waits)| Plan {
        jar,
        tasks,
        waits,
    });
    let schedule = prop::collection::vec(any::<u8>(), 0..120);
    let requests = prop::collection::vec(plan, 1..4);
    (requests, schedule, any::<bool>(), any::<bool>()).prop_map(
        |(requests, schedule, faults, drops)| Story {
            requests,
            schedule,
            faults,
            drops,
        },
    )
}

const PLAIN: &[Do] = &[Do::Insert, Do::Update, Do::UpdateNow, Do::Commit, Do::Yield];

const KEEPS: &[Do] = &[
    Do::Insert,
    Do::Remove,
    Do::Update,
    Do::Update,
    Do::UpdateNow,
    Do::Take,
    Do::Renew,
    Do::Relogin,
    Do::Commit,
    Do::Reload,
    Do::Yield,
];

const ALL: &[Do] = &[
    Do::Insert,
    Do::Remove,
    Do::Update,
    Do::UpdateNow,
    Do::Take,
    Do::Renew,
    Do::Relogin,
    Do::Commit,
    Do::Reload,
    Do::Yield,
    Do::Clear,
    Do::Login,
    Do::Logout,
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_writes_are_exact(story in story(PLAIN)) {
        tell(&story);
    }

    #[test]
    fn nothing_acknowledged_is_lost_or_done_twice(story in story(KEEPS)) {
        tell(&story);
    }

    #[test]
    fn whatever_is_done_to_a_session(story in story(ALL)) {
        tell(&story);
    }
}

#[tokio::test]
async fn a_commit_that_was_given_up_is_not_followed_by_a_success() {
    let (layer, _) = over(Probe::waiting());
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    let answer = client
        .post(&layer, async |session| {
            session.update("n", |n: &mut u64| *n += 1)?;
            let mut commit = Box::pin(session.commit());
            let context = &mut Context::from_waker(Waker::noop());
            assert!(commit.as_mut().poll(context).is_pending());
            drop(commit);
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_a_login_inherits_outlives_an_unknown_outcome() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            other.insert(&layer, "n", 1).await;
            session.login("alice")?;
            probe.fail(Call::Apply, ErrorKind::Unknown);
            assert_eq!(
                session.commit().await.unwrap_err().kind(),
                ErrorKind::Unknown
            );
            probe.heal();
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "alice n=1 resumed");
}

#[tokio::test]
async fn a_login_over_a_revoked_session_fails_whoever_logs_in_meanwhile() {
    let probe = Probe::waiting();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let answer = client
        .post(&layer, async |session| {
            layer.sessions().revoke_all("alice").await?;
            session.login("alice")?;
            let mut next = Some(session.clone());
            probe.before(move |call| {
                if call == Call::End
                    && let Some(session) = next.take()
                {
                    session.login("bob").unwrap();
                }
            });
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(count(&layer).await, 0);
}
