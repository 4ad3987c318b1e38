//! Sessions that travel with their client: what differs from those that stay.

use http::StatusCode;
use http::header::SET_COOKIE;
use sessile::{
    Algorithm, ErrorKind, HmacKey, Lifetime, ManualClock, SealingKey, SealingKeys, Session,
    SessionLayer, Token, TokenBuilder, TokenKeys,
};
use sessile_memory::MemoryStore;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::client::{Client, minutes, over, seconds};

fn secret() -> Vec<u8> {
    (0..32).collect()
}

fn signed() -> TokenBuilder {
    Token::signed(TokenKeys::new(
        HmacKey::new(Algorithm::HS256, secret()).unwrap(),
    ))
}

fn sealed() -> TokenBuilder {
    Token::sealed(SealingKeys::new(SealingKey::new(secret()).unwrap()))
}

fn layer(token: TokenBuilder) -> (SessionLayer, Arc<ManualClock>) {
    let token = token
        .issuer("https://app.example")
        .audience("https://app.example");
    over(token.build().unwrap())
}

#[tokio::test]
async fn a_session_travels_and_every_write_sends_it_anew() {
    for token in [signed(), sealed()] {
        let (layer, _) = layer(token);
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let first = client.credential().unwrap().to_owned();
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
        assert_eq!(client.credential(), Some(&*first));
        client.insert(&layer, "b", 2).await;
        assert_ne!(client.credential(), Some(&*first));
        assert_eq!(client.look(&layer).await, "nobody a=1 b=2 resumed");
        client
            .post(&layer, async |session| session.remove("a").map(drop))
            .await;
        let done = client
            .post(&layer, async |session| {
                let n = session
                    .update_now("b", |n: &mut u64| {
                        *n += 1;
                        *n
                    })
                    .await?;
                session.insert("c", n)
            })
            .await;
        assert_eq!(done.status(), StatusCode::OK);
        assert_eq!(client.look(&layer).await, "nobody b=3 c=3 resumed");
        client.present("eyJhbGciOiJub25lIn0.e30.");
        assert_eq!(client.look(&layer).await, "nobody unknown");
    }
}

/// Runs it elsewhere, since what never ends takes the thread along.
fn ends<F: Future<Output = ()>>(what: impl FnOnce() -> F + Send + 'static) {
    let (send, receive) = std::sync::mpsc::channel();
    let run = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(what());
        send.send(()).unwrap();
    });
    let ended = receive.recv_timeout(seconds(20));
    assert_ne!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout));
    run.join().unwrap();
}

#[test]
fn a_handler_that_outlasts_the_touch_interval_is_answered() {
    ends(async || {
        let (layer, clock) = layer(signed());
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let slow = client
            .get(&layer, async |session: Session| {
                drop(session.keys());
                clock.advance(minutes(4));
            })
            .await;
        assert_eq!(slow.status(), StatusCode::OK);
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    });
}

#[test]
fn a_request_in_the_last_moments_of_a_session_is_answered() {
    ends(async || {
        let (layer, clock) = layer(signed());
        let layer = layer.lifetime(Lifetime::new(seconds(3), seconds(7)).unwrap());
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let mut ended = 0;
        for _ in 0..1000 {
            clock.advance(Duration::from_millis(9));
            let seen = client.look(&layer).await;
            ended += u32::from(seen == "nobody expired");
            assert!(
                seen == "nobody a=1 resumed" && ended == 0 || ended > 0,
                "{seen}"
            );
        }
        assert!(ended > 100);
    });
}

#[tokio::test]
async fn a_read_sends_nothing_before_half_a_life_and_the_session_anew_after() {
    let (layer, clock) = layer(signed());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    for (passed, anew) in [
        (seconds(449), false),
        (seconds(1), true),
        (seconds(1), false),
    ] {
        clock.advance(passed);
        let answer = client
            .get(&layer, async |session| drop(session.keys()))
            .await;
        assert_eq!(
            answer.headers().contains_key(SET_COOKIE),
            anew,
            "{passed:?}"
        );
    }
    clock.advance(minutes(16));
    assert_eq!(client.look(&layer).await, "nobody expired");
}

#[tokio::test]
async fn a_login_is_another_session_and_a_logout_removes_the_cookie() {
    for store in [false, true] {
        let token = if store {
            signed().revocation(MemoryStore::default())
        } else {
            signed()
        };
        let (layer, _) = layer(token);
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let before = client
            .get(&layer, async |session| session.id().to_string())
            .await;
        client.login(&layer, "ada").await;
        let after = client
            .get(&layer, async |session| session.id().to_string())
            .await;
        assert_ne!(before.body(), after.body());
        assert_eq!(client.look(&layer).await, "ada a=1 resumed");

        let mut renewed = client.clone();
        renewed.post(&layer, async |session| session.renew()).await;
        assert_ne!(renewed.credential(), client.credential());
        let same = renewed
            .get(&layer, async |session| session.id().to_string())
            .await;
        assert_eq!(same.body(), after.body());

        let mut copy = client.clone();
        let answer = client.post(&layer, async |session| session.logout()).await;
        assert!(
            answer.headers()[SET_COOKIE]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
        assert_eq!(client.credential(), None);
        // Only a store can tell a copy that its session has ended.
        let found = copy.look(&layer).await;
        assert_eq!(
            found,
            if store {
                "nobody ended"
            } else {
                "ada a=1 resumed"
            }
        );
        let write = copy
            .post(&layer, async |session| session.insert("b", 1))
            .await;
        let expected = if store {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        };
        assert_eq!(write.status(), expected);
    }
}

#[tokio::test]
async fn an_insert_that_the_cookie_has_no_room_for_fails_at_once_with_the_bytes_left() {
    for token in [signed(), sealed()] {
        let (layer, _) = layer(token);
        let mut client = Client::default();
        client.login(&layer, "ada").await;
        client.insert(&layer, "a", 1).await;
        let answer = client
            .post(&layer, async |session: Session| {
                let error = session.insert("big", "x".repeat(5000)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge);
                let left = error.bytes_left().unwrap();
                assert!((2000..3000).contains(&left), "{left}");
                // Two of the bytes are the quotation marks.
                assert!(session.insert("big", "x".repeat(left - 1)).is_err());
                session.insert("big", "x".repeat(left - 2))?;
                assert_eq!(session.insert("c", 1).unwrap_err().bytes_left(), Some(0));
                let grow = |text: &mut String| text.push('x');
                assert_eq!(
                    session.update("big", grow).unwrap_err().kind(),
                    ErrorKind::TooLarge
                );
                // What shrinks always fits.
                session.insert("a", 2)
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let line = answer.headers()[SET_COOKIE].len();
        assert!((4000..=4096).contains(&line), "{line}");
        let found = client.look(&layer).await;
        assert!(found.starts_with("ada a=2 big=\"xxx"));
    }
}

#[tokio::test]
async fn after_the_head_nothing_can_be_written() {
    let (layer, _) = layer(signed());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let kept = Mutex::new(None);
    client
        .post(&layer, async |session| {
            *kept.lock().unwrap() = Some(session)
        })
        .await;
    let session = kept.into_inner().unwrap().unwrap();
    assert_eq!(session.get::<u64>("a").unwrap(), Some(1));
    let error = session.insert("a", 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLate);
    // It would have to remove the client's token, and can't any more.
    let error = session.logout().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLate);
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
}

#[tokio::test]
async fn with_a_store_a_logout_after_the_head_holds() {
    let (layer, _) = layer(signed().revocation(MemoryStore::default()));
    let mut client = Client::default();
    client.login(&layer, "ada").await;
    let kept = Mutex::new(None);
    client
        .post(&layer, async |session| {
            *kept.lock().unwrap() = Some(session)
        })
        .await;
    let session = kept.into_inner().unwrap().unwrap();
    session.logout().unwrap();
    session.commit().await.unwrap();
    assert_eq!(client.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn a_logout_after_the_head_of_a_client_without_a_session_is_none() {
    let (layer, _) = layer(signed());
    let kept = Mutex::new(None);
    Client::default()
        .post(&layer, async |session| {
            *kept.lock().unwrap() = Some(session)
        })
        .await;
    kept.into_inner().unwrap().unwrap().logout().unwrap();
}

#[tokio::test]
async fn of_two_responses_that_write_the_last_one_wins_as_a_whole() {
    let (layer, _) = layer(signed());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let (mut first, mut second) = (client.clone(), client);
    first.insert(&layer, "b", 1).await;
    second.insert(&layer, "c", 1).await;
    assert_eq!(second.look(&layer).await, "nobody a=1 c=1 resumed");
}

#[tokio::test]
async fn operators_are_told_what_cannot_be_done_without_a_store() {
    let (layer, _) = layer(signed());
    let mut client = Client::default();
    client.login(&layer, "ada").await;
    let sessions = layer.sessions();
    let id = Mutex::new(None);
    client
        .get(&layer, async |session| {
            *id.lock().unwrap() = Some(session.id())
        })
        .await;
    let id = id.into_inner().unwrap().unwrap();
    for error in [
        sessions.revoke(&id).await.unwrap_err(),
        sessions.revoke_all("ada").await.unwrap_err(),
        sessions.list("ada").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn with_a_store_one_all_and_all_others_are_revoked_with_one_call_each() {
    let (layer, clock) = layer(signed().revocation(MemoryStore::default()));
    let sessions = layer.sessions();
    let mut clients = [(); 4].map(|()| Client::default());
    for client in &mut clients {
        client.login(&layer, "ada").await;
        clock.advance(seconds(1));
    }
    let list = sessions.list("ada").await.unwrap();
    assert_eq!(list.len(), 4);
    assert!(sessions.revoke(&list[0].id).await.unwrap());
    assert!(!sessions.revoke(&list[0].id).await.unwrap());
    assert_eq!(clients[0].look(&layer).await, "nobody ended");

    let operator = sessions.clone();
    let others = clients[1]
        .post(&layer, async |session| {
            operator
                .revoke_others(&session)
                .await
                .map(|ended| ended.to_string())
        })
        .await;
    assert_eq!(others.body(), "2");
    assert_eq!(clients[1].look(&layer).await, "ada resumed");
    for client in &mut clients[2..] {
        assert_eq!(client.look(&layer).await, "nobody ended");
    }
    clock.advance(minutes(10));
    assert_eq!(clients[1].look(&layer).await, "ada resumed");
    assert_eq!(sessions.revoke_all("ada").await.unwrap(), 1);
    assert_eq!(clients[1].look(&layer).await, "nobody ended");
    clients[1].login(&layer, "ada").await;
    assert_eq!(clients[1].look(&layer).await, "ada resumed");
}

#[tokio::test]
async fn the_layers_absolute_lifetime_holds_for_tokens() {
    let (layer, clock) = layer(signed());
    let layer = layer.lifetime(Lifetime::new(minutes(30), minutes(20)).unwrap());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    for _ in 0..3 {
        clock.advance(minutes(6));
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    }
    clock.advance(minutes(2));
    assert_eq!(client.look(&layer).await, "nobody expired");
}
