//! Defects that were found in other session crates, and traps beside them: none of them here.

use http::StatusCode;
use http::header::SET_COOKIE;
use sessile::ErrorKind;

use crate::LABEL;
use crate::client::{Client, count, fresh, over};
use crate::probe::{Call, Probe};

#[tokio::test]
async fn an_insert_after_a_logout_in_one_request_does_not_reuse_the_id() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let before = client.clone();
    let (mut old, mut new) = (None, None);
    client
        .post(&layer, async |session| {
            old = Some(session.id());
            session.logout()?;
            session.insert("b", 2)?;
            new = Some(session.id());
            sessile::Result::Ok(())
        })
        .await;
    assert_ne!(old, new);
    assert_eq!(client.look(&layer).await, "nobody b=2 resumed");
    assert_eq!(before.clone().look(&layer).await, "nobody ended");
    let mut now = None;
    client
        .get(&layer, async |session| now = Some(session.id()))
        .await;
    assert_eq!(now, new, "the id announced is the id it got");
}

#[tokio::test]
async fn a_login_after_a_logout_or_over_another_user_changes_the_id_and_kills_the_old_cookie() {
    for logout_first in [false, true] {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.login(&layer, "alice").await;
        client.insert(&layer, "private", 1).await;
        let before = client.clone();
        client
            .post(&layer, async |session| {
                let old = session.id();
                if logout_first {
                    session.logout()?;
                }
                session.login("bob")?;
                assert_ne!(session.id(), old);
                sessile::Result::Ok(())
            })
            .await;
        assert_eq!(client.look(&layer).await, "bob resumed");
        assert_eq!(before.clone().look(&layer).await, "nobody ended");
        assert_eq!(count(&layer).await, 1);
    }
}

#[tokio::test]
async fn two_requests_that_write_different_keys_both_survive() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "seen", 1).await;
    let mut other = client.clone();
    client
        .post(&layer, async |session| {
            session.insert("a", 1).unwrap();
            other.insert(&layer, "b", 2).await;
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody a=1 b=2 seen=1 resumed");
}

#[tokio::test]
async fn a_slow_request_does_not_undo_a_logout() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let (mut slow, mut thief) = (client.clone(), client.clone());
    let late = slow
        .post(&layer, async |session| {
            client.post(&layer, async |session| session.logout()).await;
            session.insert("a", 1)
        })
        .await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert!(!late.headers().contains_key(SET_COOKIE));
    assert_eq!(thief.look(&layer).await, "nobody ended");
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn a_renew_in_a_request_that_fails_does_not_lose_the_session() {
    for status in [404, 500, 503] {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let mut lost_answer = client.clone();
        client
            .post(&layer, async |session| {
                session.renew().unwrap();
                StatusCode::from_u16(status).unwrap()
            })
            .await;
        assert_ne!(client.credential(), lost_answer.credential());
        assert_eq!(lost_answer.look(&layer).await, "nobody a=1 resumed");
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    }
}

#[tokio::test]
async fn clear_before_anything_was_found_adopts_no_id() {
    let (layer, _) = fresh();
    let mut real = Client::default();
    real.insert(&layer, "a", 1).await;
    let good = real.credential().unwrap();
    let forged = good.replacen(LABEL, &format!("{LABEL}AAAA"), 1);
    for offered in ["", "chosen", &forged[..good.len()], &"A".repeat(65_536)] {
        let mut client = Client::default();
        client.present(offered);
        let answer = client
            .post(&layer, async |session| {
                session.clear().unwrap();
                session.arrival().to_string()
            })
            .await;
        assert_eq!(answer.body(), "unknown");
        assert!(!answer.headers().contains_key(SET_COOKIE));
        client
            .post(&layer, async |session| {
                session.clear()?;
                session.insert("b", 2)
            })
            .await;
        assert_ne!(client.credential().unwrap(), offered);
    }
    assert_eq!(count(&layer).await, 1 + 4);
}

#[tokio::test]
async fn an_id_that_a_client_made_up_is_not_adopted_by_a_write() {
    let (layer, _) = fresh();
    let mut stranger = Client::default();
    // Well-formed, of another process.
    stranger.insert(&fresh().0, "a", 1).await;
    let offered = stranger.credential().unwrap().to_owned();
    stranger.insert(&layer, "b", 2).await;
    let made = stranger.credential().unwrap();
    assert_ne!(made, offered);
    assert_ne!(made[..24], offered[..24], "not even the public half");
    assert_eq!(stranger.look(&layer).await, "nobody b=2 resumed");
}

#[tokio::test]
async fn a_failed_lookup_never_overwrites_the_session_and_never_answers_200() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.fail(Call::Open, ErrorKind::Unavailable);
    probe.calls();
    let answer = client
        .get(&layer, async |session| session.insert("b", 1))
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(probe.calls(), 1, "nothing was written");
    probe.heal();
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
}

#[tokio::test]
async fn an_update_and_a_remove_are_persisted() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    client.insert(&layer, "b", 1).await;
    client
        .post(&layer, async |session| {
            session.update("a", |a: &mut u64| *a += 1)?;
            session.remove("b")?;
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody a=2 resumed");
}

#[tokio::test]
async fn an_update_after_a_concurrent_logout_is_409_and_not_500() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let mut other = client.clone();
    let answer = other
        .post(&layer, async |session| {
            client.post(&layer, async |session| session.logout()).await;
            session.update("a", |a: &mut u64| *a += 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn whoever_knows_the_public_id_and_not_the_verifier_opens_nothing() {
    let (layer, _) = fresh();
    let mut owner = Client::default();
    owner.login(&layer, "alice").await;
    let good = owner.credential().unwrap().to_owned();
    // Id and verifier are 42 characters, and four bits of the next.
    for at in 0..LABEL.len() + 42 {
        for with in ["A", "z", "_", "."] {
            let forged = [&good[..at], with, &good[at + 1..]].concat();
            if forged == good {
                continue;
            }
            let mut thief = Client::default();
            thief.present(&forged);
            assert_eq!(thief.look(&layer).await, "nobody unknown", "{at} {with}");
        }
    }
    for cut in 0..good.len() {
        let mut thief = Client::default();
        thief.present(&good[..cut]);
        assert_eq!(thief.look(&layer).await, "nobody unknown", "{cut}");
    }
    assert_eq!(owner.look(&layer).await, "alice resumed");
    assert_eq!(count(&layer).await, 1);
}
