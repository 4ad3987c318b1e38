//! A change that was made and whose answer was lost: told, and not made again.

use http::StatusCode;
use sessile::{ErrorKind, Session};
use sessile_conformance::{Fault, Operation};

use crate::shop::{Shop, failed};

type Change = fn(&Session) -> sessile::Result<()>;

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_503_and_is_asked_for_once() {
    let changes: [(Change, &str); 4] = [
        // An expectation.
        (
            |session| session.update("a", |a: &mut u64| *a += 1),
            "nobody a=2 resumed",
        ),
        (
            |session| session.take::<u64>("a").map(drop),
            "nobody resumed",
        ),
        // A rotation.
        (Session::renew, "nobody a=1 resumed"),
        (|session| session.insert("a", 2), "nobody a=2 resumed"),
    ];
    for (change, found) in changes {
        let shop = Shop::new();
        let mut client = shop.customer().await;
        shop.fail(Operation::Apply, Fault::AnswerLost);
        let answer = client
            .post(&shop.layer, async |session| change(&session))
            .await;
        failed(&answer, StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unknown);
        assert_eq!(shop.asked(Operation::Apply), 1);
        shop.heal();
        assert_eq!(client.look(&shop.layer).await, found);
    }
}

/// Whatever the handler makes of the error.
#[tokio::test]
async fn an_update_whose_answer_is_lost_in_the_midst_of_a_handler_is_made_at_most_once() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    shop.calls
        .inner()
        .fail_next(Operation::Apply, Fault::AnswerLost);
    let answer = client
        .post(&shop.layer, async |session| {
            let update = session.update_now("a", |a: &mut u64| *a += 1).await;
            assert_eq!(update.unwrap_err().kind(), ErrorKind::Unknown);
            session.insert("b", 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&shop.layer).await, "nobody a=2 b=1 resumed");
}

/// The client holds the old credential, which leads to the new one.
#[tokio::test]
async fn a_renewed_credential_that_was_lost_with_its_answer_is_given_with_the_next() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    let old = client.credential().map(str::to_owned);
    shop.fail(Operation::Apply, Fault::AnswerLost);
    client
        .post(&shop.layer, async |session| session.renew())
        .await;
    shop.heal();
    assert_eq!(client.credential(), old.as_deref());
    assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    assert_ne!(client.credential(), old.as_deref());
}

#[tokio::test]
async fn a_login_whose_answer_is_lost_leaves_the_client_where_it_was() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    shop.fail(Operation::Create, Fault::AnswerLost);
    let answer = client
        .post(&shop.layer, async |session| session.login("alice"))
        .await;
    failed(&answer, StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Unknown);
    shop.heal();
    assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    // The session that nobody has a credential of is listed, and can be revoked.
    assert_eq!(shop.layer.sessions().revoke_all("alice").await.unwrap(), 1);
}
