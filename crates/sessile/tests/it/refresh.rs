//! A token that has run out, and the handle that gets the next one.

use std::sync::Mutex;

use http::StatusCode;
use sessile::{Algorithm, HmacKey, Refresh, SessionLayer, Token, TokenKeys};
use sessile_core::{Clock as _, Loaded, SessionId, Store as _};
use sessile_memory::MemoryStore;

use crate::client::{Client, minutes, over, seconds};
use crate::secrets::Log;

struct Bed {
    layer: SessionLayer,
    clock: std::sync::Arc<sessile::ManualClock>,
    refresh: Refresh,
    store: MemoryStore,
}

/// Short tokens, revocation, and handles in the same store.
fn bed() -> Bed {
    let secret: Vec<u8> = (0..32).collect();
    let store = MemoryStore::default();
    let token = Token::signed(TokenKeys::new(
        HmacKey::new(Algorithm::HS256, secret).unwrap(),
    ))
    .issuer("https://app.example")
    .audience("https://app.example")
    .life(minutes(5))
    .revocation(store.clone());
    let (layer, clock) = over(token.build().unwrap());
    let refresh = Refresh::new(store.clone());
    Bed {
        layer,
        clock,
        refresh,
        store,
    }
}

impl Bed {
    async fn log_in(&self, client: &mut Client) -> String {
        let handle = client
            .post(&self.layer, async |session| {
                session.login("ada")?;
                let handle = session.issue_refresh(&self.refresh).await?;
                sessile::Result::Ok(handle.unwrap())
            })
            .await;
        handle.into_body()
    }

    /// The next handle; nothing if the user has to log in.
    async fn refresh(&self, client: &mut Client, handle: &str) -> String {
        let answer = client
            .post(&self.layer, async |session| {
                let next = session.refresh(&self.refresh, handle).await?;
                sessile::Result::Ok(next.unwrap_or_default())
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body()
    }
}

#[tokio::test]
async fn e21_a_token_that_has_run_out_is_followed_by_the_next_one() {
    let bed = bed();
    let mut client = Client::default();
    let mut handle = bed.log_in(&mut client).await;
    for _ in 0..5 {
        bed.clock.advance(minutes(10));
        assert_eq!(client.look(&bed.layer).await, "nobody expired");
        handle = bed.refresh(&mut client, &handle).await;
        assert_eq!(handle.len(), 43);
        assert_eq!(client.look(&bed.layer).await, "ada resumed");
    }
    // Early: the same session goes on.
    let id = Mutex::new(Vec::new());
    for _ in 0..2 {
        client
            .get(&bed.layer, async |session| {
                id.lock().unwrap().push(session.id())
            })
            .await;
        handle = bed.refresh(&mut client, &handle).await;
    }
    let id = id.into_inner().unwrap();
    assert_eq!(id[0], id[1]);
}

#[tokio::test]
async fn e21_reuse_ends_the_family_and_the_user_logs_in_again() {
    let bed = bed();
    let (mut client, mut thief) = (Client::default(), Client::default());
    let stolen = bed.log_in(&mut client).await;
    bed.clock.advance(minutes(10));
    let next = bed.refresh(&mut client, &stolen).await;
    bed.clock.advance(seconds(59));
    // A double click.
    assert_eq!(bed.refresh(&mut client, &stolen).await, next);
    bed.clock.advance(seconds(1));
    let family = family(&bed).await;
    let (log, _guard) = Log::listen();
    assert_eq!(bed.refresh(&mut thief, &stolen).await, "");
    // The owner is told of it, by a name that may be told.
    let events = log.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].contains("refresh handle was used twice"));
    assert!(events[0].contains(&family.to_string()));
    for secret in [&stolen, &next] {
        assert!(!log.text().contains(secret) && !log.text().contains(&secret[22..]));
    }
    assert_eq!(thief.look(&bed.layer).await, "nobody new");
    assert_eq!(bed.refresh(&mut client, &next).await, "");
    // Of what has ended already nobody is told again.
    assert_eq!(log.events().len(), 1);
}

/// The public name of the one family of handles. A session of tokens has no verifier there.
async fn family(bed: &Bed) -> SessionId {
    let now = bed.clock.now();
    for candidate in bed.store.list("ada", now).await.unwrap() {
        if let Loaded::Live(record) = bed.store.load(&candidate.sid, now).await.unwrap()
            && record.previous.is_some()
        {
            return record.sid;
        }
    }
    panic!("no family of handles in the store")
}

#[tokio::test]
async fn e21_a_logout_and_revoking_all_end_the_handles_too() {
    let bed = bed();
    let mut client = Client::default();
    let handle = bed.log_in(&mut client).await;
    client
        .post(&bed.layer, async |session| {
            session.logout_with(&bed.refresh, &handle).await
        })
        .await;
    assert_eq!(bed.refresh(&mut client, &handle).await, "");

    let handle = bed.log_in(&mut client).await;
    // The session, and the family of handles.
    assert_eq!(bed.layer.sessions().revoke_all("ada").await.unwrap(), 2);
    assert_eq!(client.look(&bed.layer).await, "nobody ended");
    assert_eq!(bed.refresh(&mut client, &handle).await, "");
}

#[tokio::test]
async fn a_handle_opens_no_session_and_a_credential_redeems_nothing() {
    let bed = bed();
    let mut client = Client::default();
    let handle = bed.log_in(&mut client).await;
    let (stored, _) = over(sessile::Stored::new(bed.store.clone()));
    let mut other = Client::default();
    other.present(&handle);
    assert_eq!(other.look(&stored).await, "nobody unknown");
    other.login(&stored, "eve").await;
    let credential = other.credential().unwrap().to_owned();
    assert_eq!(bed.refresh(&mut client, &credential).await, "");
}
