//! The operator's handle: list, revoke, count, sweep, and a bound on the sessions of one subject.

use std::num::NonZeroU32;

use http::StatusCode;
use http::header::SET_COOKIE;
use sessile::{ErrorKind, OnFull, SessionLayer, SubjectCap};

use crate::client::{Client, count, fresh, minutes, over, seconds};
use crate::probe::{Call, Probe};

async fn logged_in(layer: &SessionLayer, subject: &str, how_many: usize) -> Vec<Client> {
    let mut clients = vec![Client::default(); how_many];
    for client in &mut clients {
        client.login(layer, subject).await;
    }
    clients
}

#[tokio::test]
async fn a_list_shows_the_live_sessions_of_one_subject_oldest_first_and_nothing_that_opens_them() {
    let (layer, clock) = fresh();
    let sessions = layer.sessions();
    assert!(sessions.list("alice").await.unwrap().is_empty());
    let mut all = Vec::new();
    for _ in 0..3 {
        all.append(&mut logged_in(&layer, "alice", 1).await);
        clock.advance(minutes(8));
    }
    logged_in(&layer, "bob", 1).await;
    all[1].look(&layer).await;
    let list = sessions.list("alice").await.unwrap();
    assert_eq!(list.len(), 3);
    assert!(list.is_sorted_by_key(|info| info.created_at));
    assert!(
        list.iter()
            .all(|info| info.subject.as_deref() == Some("alice"))
    );
    assert!(
        list[1].last_seen > list[2].last_seen,
        "the second was used last"
    );
    let shown = format!("{list:?}");
    for client in &all {
        assert!(!shown.contains(&client.credential().unwrap()[crate::LABEL.len()..][22..42]));
    }
    clock.advance(minutes(20));
    assert_eq!(
        sessions.list("alice").await.unwrap().len(),
        2,
        "one idled away"
    );
}

#[tokio::test]
async fn revoke_ends_one_revoke_others_all_but_one_and_revoke_all_all() {
    let (layer, _) = fresh();
    let sessions = layer.sessions();
    let mut alice = logged_in(&layer, "alice", 1000).await;
    let mut bob = logged_in(&layer, "bob", 1).await;

    let id = sessions.list("alice").await.unwrap()[0].id;
    assert!(sessions.revoke(&id).await.unwrap());
    assert!(!sessions.revoke(&id).await.unwrap(), "it is gone already");
    assert_eq!(alice[0].look(&layer).await, "nobody ended");

    let answer = alice[1]
        .post(&layer, async |session| {
            let revoked = sessions.revoke_others(&session).await?;
            sessile::Result::Ok(revoked.to_string())
        })
        .await;
    assert_eq!(answer.body(), "998");
    assert_eq!(alice[1].look(&layer).await, "alice resumed");
    assert_eq!(alice[2].look(&layer).await, "nobody ended");

    assert_eq!(sessions.revoke_all("alice").await.unwrap(), 1);
    assert_eq!(sessions.revoke_all("alice").await.unwrap(), 0);
    for client in &mut alice {
        assert_eq!(client.look(&layer).await, "nobody ended");
    }
    assert_eq!(bob[0].look(&layer).await, "bob resumed");
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn others_are_revoked_also_from_the_very_request_that_logs_in() {
    let (layer, _) = fresh();
    let mut old = logged_in(&layer, "alice", 2).await;
    let mut client = Client::default();
    client
        .post(&layer, async |session| {
            session.login("alice")?;
            let revoked = layer.sessions().revoke_others(&session).await?;
            assert_eq!(revoked, 2);
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(client.look(&layer).await, "alice resumed");
    assert_eq!(old[0].look(&layer).await, "nobody ended");
    Client::default()
        .get(&layer, async |session| {
            let revoked = layer.sessions().revoke_others(&session).await;
            assert_eq!(revoked.unwrap(), 0, "nobody is logged in");
        })
        .await;
}

#[tokio::test]
async fn a_revoked_session_never_comes_back_and_its_client_keeps_its_cookie() {
    let (layer, _) = fresh();
    let mut client = logged_in(&layer, "alice", 1).await.remove(0);
    let answer = client
        .post(&layer, async |session| {
            layer.sessions().revoke(&session.id()).await?;
            session.insert("a", 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(
        !answer.headers().contains_key(SET_COOKIE),
        "no removal either"
    );
    assert_eq!(client.look(&layer).await, "nobody ended");
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn a_login_that_was_revoked_before_it_was_made_is_not_made() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    let answer = client
        .post(&layer, async |session| {
            session.login("alice")?;
            layer.sessions().revoke(&session.id()).await.map(drop)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn the_tombstone_of_a_session_lives_a_minute_and_its_id_stays_dead() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let mut old = client.clone();
    client.post(&layer, async |session| session.logout()).await;
    clock.advance(seconds(59));
    assert_eq!(old.look(&layer).await, "nobody ended");
    clock.advance(seconds(1));
    let later = old.look(&layer).await;
    assert!(
        !later.contains("alice") && !later.ends_with("resumed"),
        "{later}"
    );
    // By then a write starts afresh.
    old.insert(&layer, "a", 1).await;
    assert_eq!(old.look(&layer).await, "nobody a=1 resumed");
}

fn capped(on_full: OnFull) -> SessionLayer {
    let max = NonZeroU32::new(3).unwrap();
    over(crate::home().sessions_per_subject(SubjectCap { max, on_full })).0
}

#[tokio::test]
async fn a_login_beyond_the_cap_is_refused_and_changes_nothing() {
    let layer = capped(OnFull::Reject);
    logged_in(&layer, "alice", 3).await;
    let mut client = Client::default();
    client.insert(&layer, "cart", 1).await;
    let answer = client
        .post(&layer, async |session| session.login("alice"))
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let error = answer.extensions().get::<sessile::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    assert_eq!(client.look(&layer).await, "nobody cart=1 resumed");
    client.login(&layer, "bob").await;
    assert_eq!(client.look(&layer).await, "bob cart=1 resumed");
}

#[tokio::test]
async fn a_login_refused_at_the_cap_can_be_handled_and_the_session_goes_on() {
    let layer = capped(OnFull::Reject);
    logged_in(&layer, "alice", 3).await;
    let mut client = Client::default();
    client.insert(&layer, "cart", 1).await;
    let answer = client
        .post(&layer, async |session| {
            session.login("alice")?;
            let error = session.commit().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LimitReached);
            session.insert("sorry", 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "nobody cart=1 sorry=1 resumed");
}

#[tokio::test]
async fn a_login_beyond_the_cap_ends_the_oldest_where_that_is_the_policy() {
    let layer = capped(OnFull::EvictOldest);
    let mut clients = logged_in(&layer, "alice", 5).await;
    let mut found = Vec::new();
    for client in &mut clients {
        found.push(client.look(&layer).await);
    }
    let (ended, alive) = ("nobody ended".to_owned(), "alice resumed".to_owned());
    assert_eq!(
        found,
        [&ended, &ended, &alive, &alive, &alive].map(String::clone)
    );
}

#[tokio::test]
async fn a_hundred_parallel_logins_never_pass_the_cap() {
    for on_full in [OnFull::Reject, OnFull::EvictOldest] {
        let layer = capped(on_full);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let layer = layer.clone();
            let service = tower::service_fn(async |request: http::Request<String>| {
                let lazy = request.extensions().get::<sessile::LazySession>().unwrap();
                lazy.load().await?.login("alice")?;
                Ok::<_, sessile::Error>(http::Response::new(String::new()))
            });
            let service = tower::Layer::layer(&layer, service);
            let request = http::Request::new(String::new());
            tasks.spawn(tower::ServiceExt::oneshot(service, request));
        }
        let answers = tasks.join_all().await;
        let ok = answers.iter().filter(|answer| {
            answer
                .as_ref()
                .is_ok_and(|answer| answer.status() == StatusCode::OK)
        });
        let expected = if on_full == OnFull::Reject { 3 } else { 100 };
        assert_eq!(ok.count(), expected);
        assert_eq!(layer.sessions().list("alice").await.unwrap().len(), 3);
        assert_eq!(count(&layer).await, 3);
    }
}

#[tokio::test]
async fn count_is_exact_on_the_clock_and_a_sweep_frees_what_has_expired() {
    let (layer, clock) = fresh();
    logged_in(&layer, "alice", 20).await;
    clock.advance(minutes(20));
    logged_in(&layer, "bob", 5).await;
    assert_eq!(count(&layer).await, 25);
    clock.advance(minutes(10));
    assert_eq!(count(&layer).await, 5);
    assert!(layer.sessions().list("alice").await.unwrap().is_empty());
    clock.advance(minutes(60));
    layer.sessions().sweep().await.unwrap();
    assert_eq!(layer.sessions().sweep().await.unwrap(), 0);
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn what_memory_cannot_do_says_so() {
    let (layer, _) = fresh();
    let error = layer.sessions().drain(minutes(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let guarantees = layer.sessions().guarantees();
    assert_eq!(guarantees.durability, sessile::Durability::Volatile);
    assert_eq!(guarantees.scope, sessile::Scope::ThisNode);
    assert_eq!(guarantees.revocation, sessile::Revocation::Immediate);
    assert_eq!(guarantees.writes, sessile::Writes::Merged);
    assert!(!guarantees.any_node);
}

#[tokio::test]
async fn one_session_that_cannot_be_read_is_ended_too_and_stops_no_revocation() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let sessions = layer.sessions();
    logged_in(&layer, "alice", 3).await;
    probe.fail_times(1, Call::End, ErrorKind::Corrupt);
    assert_eq!(sessions.revoke_all("alice").await.unwrap(), 3);
    assert_eq!(count(&layer).await, 0);

    logged_in(&layer, "alice", 1).await;
    let id = sessions.list("alice").await.unwrap()[0].id;
    probe.fail_times(1, Call::End, ErrorKind::Corrupt);
    assert!(sessions.revoke(&id).await.unwrap());
    assert!(!sessions.revoke(&id).await.unwrap());
}

#[tokio::test]
async fn a_revocation_that_fails_for_one_session_ends_the_others_and_tells_of_it() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let sessions = layer.sessions();
    let mut these = logged_in(&layer, "alice", 3).await;
    probe.fail_times(1, Call::End, ErrorKind::Unavailable);
    let error = sessions.revoke_all("alice").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(count(&layer).await, 1);

    these.append(&mut logged_in(&layer, "alice", 2).await);
    probe.fail_times(1, Call::End, ErrorKind::Unavailable);
    let this = these.last_mut().unwrap();
    let others = this
        .get(&layer, async |session| {
            sessions.revoke_others(&session).await.map(drop)
        })
        .await;
    assert_eq!(others.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(count(&layer).await, 2, "this one, and the one that failed");
}

#[tokio::test]
async fn a_panic_in_a_store_ends_one_sweep_and_not_the_sweeper() {
    let probe = Probe::new();
    let (layer, clock) = over(probe.clone());
    let mut clients = logged_in(&layer, "alice", 1).await;
    clock.advance(minutes(60 * 24));
    let mut sweeps = 0;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    probe.before(move |call| {
        if call == Call::Sweep {
            sweeps += 1;
            tell.send(sweeps).unwrap();
            assert_ne!(sweeps, 1, "as a store might");
        }
    });
    let sweeper = layer
        .sessions()
        .sweep_every(std::time::Duration::from_millis(1));
    assert_eq!(told.recv().await, Some(1));
    let again = tokio::time::timeout(seconds(10), told.recv()).await;
    assert_eq!(again.expect("the sweeper has ended"), Some(2));
    drop(sweeper);
    clients[0].look(&layer).await;
}
