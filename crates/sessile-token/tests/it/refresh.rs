//! E21: refresh handles are new with every use, and reuse of an old one ends the family.

use crate::support::*;

fn later(seconds: u64) -> Timestamp {
    at(NOW + seconds)
}

fn redeem(refresh: &Refresh, handle: &str, at: Timestamp) -> Redeemed {
    run(refresh.redeem(handle, at)).unwrap()
}

/// The next handle of a good one.
fn next(refresh: &Refresh, handle: &str, at: Timestamp) -> String {
    match redeem(refresh, handle, at) {
        Redeemed::Renewed(renewed) => {
            assert_eq!(&*renewed.subject, "ada");
            renewed.handle
        }
        other => panic!("{other:?}"),
    }
}

fn refusal(refresh: &Refresh, handle: &str, at: Timestamp) -> Arrival {
    match redeem(refresh, handle, at) {
        Redeemed::Refused(arrival) => arrival,
        other => panic!("{other:?}"),
    }
}

fn begun() -> (Refresh, String, MapStore) {
    let store = MapStore::default();
    let refresh = Refresh::new(store.clone());
    let handle = run(refresh.issue("ada", now())).unwrap();
    assert_eq!(handle.len(), 43);
    (refresh, handle, store)
}

#[test]
fn e21_a_handle_gives_its_subject_and_a_new_handle() {
    let (refresh, first, _) = begun();
    let mut handles = vec![first];
    for round in 1..=200 {
        let last = &handles[handles.len() - 1];
        let new = next(&refresh, last, later(round * 900));
        assert!(!handles.contains(&new));
        handles.push(new);
    }
}

#[test]
fn e21_a_double_click_or_a_lost_answer_gives_the_same_successor_within_the_grace() {
    let (refresh, first, _) = begun();
    let second = next(&refresh, &first, later(900));
    for again in [900, 901, 959] {
        let Redeemed::Renewed(renewed) = redeem(&refresh, &first, later(again)) else {
            panic!("refused after {again} s")
        };
        assert!(renewed.repeated && renewed.handle == second);
    }
    let third = next(&refresh, &second, later(1800));
    assert_ne!(third, second);
}

#[test]
fn e21_twenty_parallel_uses_of_a_handle_get_one_successor() {
    let (refresh, first, _) = begun();
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (refresh, first) = (refresh.clone(), first.clone());
            std::thread::spawn(move || next(&refresh, &first, later(900)))
        })
        .collect();
    let mut successors: Vec<_> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    successors.sort_unstable();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    next(&refresh, &successors[0], later(1800));
}

#[test]
fn e21_reuse_after_the_grace_ends_the_family_for_owner_and_thief() {
    // The one before, just past its grace, and one from long ago.
    for (rounds, after) in [(1, 60), (2, 0), (5, 0), (60, 0)] {
        let (refresh, stolen, _) = begun();
        let mut handle = stolen.clone();
        let mut time = 0;
        for _ in 0..rounds {
            time += 900;
            handle = next(&refresh, &handle, later(time));
        }
        let reused = redeem(&refresh, &stolen, later(time + after));
        assert!(
            matches!(reused, Redeemed::Reused(_)),
            "{rounds}: {reused:?}"
        );
        for handle in [&handle, &stolen] {
            let refused = refusal(&refresh, handle, later(time + after + 1));
            assert_eq!(refused, Arrival::Ended, "{rounds}");
        }
    }
}

#[test]
fn e21_a_guess_at_a_known_family_ends_nothing() {
    let (refresh, first, _) = begun();
    let second = next(&refresh, &first, later(900));
    let mut guess = Credential::decode(&second).unwrap();
    guess.verifier = Verifier::random();
    for handle in [
        &*guess.encode(),
        "",
        "x",
        &second[1..],
        &format!("{second}="),
    ] {
        assert_eq!(refusal(&refresh, handle, later(901)), Arrival::Unknown);
        assert!(!run(refresh.end(handle, later(901))).unwrap());
    }
    next(&refresh, &second, later(1800));
}

#[test]
fn e21_both_deadlines_of_a_family_hold() {
    const DAY: u64 = 24 * 3600;
    let (refresh, first, _) = begun();
    let mut handle = next(&refresh, &first, later(14 * DAY - 1));
    for round in 2..=6 {
        handle = next(&refresh, &handle, later(round * (14 * DAY - 1)));
    }
    let end = 90 * DAY;
    assert_eq!(refusal(&refresh, &handle, later(end)), Arrival::Expired);
    let (refresh, first, _) = begun();
    let idle = later(14 * DAY);
    assert_eq!(refusal(&refresh, &first, idle), Arrival::Expired);
}

#[test]
fn e21_a_logout_ends_the_family_and_revoking_all_ends_all() {
    let (refresh, first, _) = begun();
    let second = next(&refresh, &first, later(900));
    // The answer with the second one was lost.
    assert!(run(refresh.end(&first, later(901))).unwrap());
    assert_eq!(refusal(&refresh, &second, later(902)), Arrival::Ended);

    let others: Vec<_> = (0..3)
        .map(|_| run(refresh.issue("ada", later(903))).unwrap())
        .collect();
    assert_eq!(run(refresh.revoke_all("ada", later(904))).unwrap(), 3);
    for handle in &others {
        assert_eq!(refusal(&refresh, handle, later(905)), Arrival::Ended);
    }
}

#[test]
fn e21_a_store_that_is_away_is_an_error_and_uses_nothing_up() {
    let (refresh, first, store) = begun();
    store.set_away(true);
    let error = run(refresh.redeem(&first, later(900))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    store.set_away(false);
    next(&refresh, &first, later(900));
}

#[test]
fn e21_no_handle_is_shown_and_no_subject_is_missing() {
    let (refresh, first, _) = begun();
    let Redeemed::Renewed(renewed) = redeem(&refresh, &first, later(1)) else {
        panic!("refused")
    };
    assert!(!format!("{renewed:?}").contains(&renewed.handle));
    for subject in ["", &"x".repeat(513)] {
        let error = run(refresh.issue(subject, now())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
