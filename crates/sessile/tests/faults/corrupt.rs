//! Records that can't be read, and values that decode into nothing: told, never written over, and
//! ended by who may end them.

use http::StatusCode;
use sessile::{ErrorKind, ErrorPolicy, Session};
use sessile_conformance::{Fault, Operation};

use crate::client::Client;
use crate::shop::{Shop, failed};

const BROKEN: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

#[tokio::test]
async fn a_record_that_can_not_be_read_is_500_and_never_an_empty_session() {
    for policy in [ErrorPolicy::FailClosed, ErrorPolicy::AnonymousReads] {
        let shop = Shop::with(|stored| stored.errors(policy));
        let mut client = shop.customer().await;
        shop.fail(Operation::Load, Fault::Corrupt);
        shop.calls.reset();
        for change in [
            |_: &Session| Ok(()),
            |session: &Session| session.insert("a", 2),
            |session: &Session| session.login("alice"),
        ] {
            let answer = client
                .post(&shop.layer, async |session| change(&session))
                .await;
            failed(&answer, BROKEN, ErrorKind::Corrupt);
        }
        assert_eq!(shop.calls.total(), 3, "nothing but looks");
        shop.heal();
        assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    }
}

/// It was read before it was spoilt.
#[tokio::test]
async fn a_record_that_was_spoilt_meanwhile_is_not_written_over() {
    let changes: [fn(&Session) -> sessile::Result<()>; 3] = [
        |session| session.insert("a", 2),
        |session| session.update("a", |a: &mut u64| *a += 1),
        Session::renew,
    ];
    for change in changes {
        let shop = Shop::new();
        let mut client = shop.customer().await;
        shop.fail(Operation::Apply, Fault::Corrupt);
        let answer = client
            .post(&shop.layer, async |session| change(&session))
            .await;
        failed(&answer, BROKEN, ErrorKind::Corrupt);
        assert_eq!(shop.asked(Operation::Apply), 1);
        shop.heal();
        assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    }
}

#[tokio::test]
async fn a_value_that_decodes_into_nothing_is_500_for_whoever_reads_it_and_harms_no_other() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    shop.fail(Operation::Load, Fault::Garbled);
    shop.calls.reset();
    let reads: [fn(&Session) -> sessile::Result<()>; 3] = [
        |session| session.get::<u64>("a").map(drop),
        |session| session.take::<u64>("a").map(drop),
        |session| session.update("a", |a: &mut u64| *a += 1),
    ];
    for read in reads {
        let answer = client
            .post(&shop.layer, async |session| read(&session))
            .await;
        failed(&answer, BROKEN, ErrorKind::Decode);
    }
    assert_eq!(shop.asked(Operation::Apply), 0);
    client.insert(&shop.layer, "b", 1).await;
    shop.heal();
    assert_eq!(client.look(&shop.layer).await, "nobody a=1 b=1 resumed");
}

#[tokio::test]
async fn a_session_of_garbled_values_can_be_logged_out_of() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    let mut old = client.clone();
    for operation in Operation::ALL {
        shop.fail(operation, Fault::Garbled);
    }
    let answer = client
        .post(&shop.layer, async |session| session.logout())
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.credential(), None);
    assert_eq!(old.look(&shop.layer).await, "nobody ended");
}

/// An unreadable session does not keep the others of its subject alive.
#[tokio::test]
async fn a_revocation_ends_sessions_that_can_not_be_read() {
    let shop = Shop::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::default();
        client.login(&shop.layer, "alice").await;
        clients.push(client);
    }
    // All are ended; of one it can't be told what it was.
    shop.calls.inner().fail_next(Operation::End, Fault::Corrupt);
    assert_eq!(shop.layer.sessions().revoke_all("alice").await.unwrap(), 3);
    for client in &mut clients {
        assert_eq!(client.look(&shop.layer).await, "nobody ended");
    }
}
