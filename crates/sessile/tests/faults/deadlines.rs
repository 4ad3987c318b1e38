//! A store that never answers: given up at the deadline, by the runtime's clock.

use std::time::Duration;

use http::StatusCode;
use sessile::ErrorKind;
use sessile_conformance::{Fault, Operation};
use tokio::time::Instant;

use crate::shop::{Shop, failed};

/// What the client finds when the store answers again: what was made was made.
const CASES: [(Operation, Fault, &str); 8] = [
    (Operation::Load, Fault::NeverMade, "nobody a=1 resumed"),
    (Operation::Load, Fault::NeverAnswered, "nobody a=1 resumed"),
    (Operation::Apply, Fault::NeverMade, "nobody a=1 resumed"),
    (Operation::Apply, Fault::NeverAnswered, "nobody a=2 resumed"),
    (Operation::Create, Fault::NeverMade, "nobody a=1 resumed"),
    (
        Operation::Create,
        Fault::NeverAnswered,
        "nobody a=1 resumed",
    ),
    (Operation::End, Fault::NeverMade, "nobody a=1 resumed"),
    (Operation::End, Fault::NeverAnswered, "nobody ended"),
];

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_503_at_the_deadline_and_costs_nobody_the_cookie() {
    for deadline in [Duration::from_millis(300), Duration::from_secs(2)] {
        for (operation, fault, found) in CASES {
            let shop = Shop::with(|stored| stored.deadline(deadline));
            let mut client = shop.customer().await;
            let before = client.credential().map(str::to_owned);
            shop.fail(operation, fault);
            let start = Instant::now();
            let answer = client
                .post(&shop.layer, async |session| match operation {
                    Operation::Create => session.login("alice"),
                    Operation::End => session.logout(),
                    _ => session.insert("a", 2),
                })
                .await;
            // A timer's tick is a millisecond.
            let late = start.elapsed() - deadline;
            assert!(late <= Duration::from_millis(1), "{operation:?}: {late:?}");
            let kind = match operation {
                Operation::Load => ErrorKind::Unavailable,
                _ => ErrorKind::Unknown,
            };
            failed(&answer, StatusCode::SERVICE_UNAVAILABLE, kind);
            shop.heal();
            assert_eq!(client.credential(), before.as_deref());
            let look = client.look(&shop.layer).await;
            assert_eq!(look, found, "{operation:?} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_waits_no_longer_than_the_deadline() {
    let shop = Shop::new();
    let (sessions, id) = (shop.layer.sessions(), sessile::SessionId::random());
    for operation in Operation::ALL {
        shop.fail(operation, Fault::NeverMade);
    }
    let start = Instant::now();
    let kinds = [
        sessions.list("alice").await.unwrap_err().kind(),
        sessions.count().await.unwrap_err().kind(),
        sessions.ping().await.unwrap_err().kind(),
        sessions.revoke(&id).await.unwrap_err().kind(),
        sessions.sweep().await.unwrap_err().kind(),
    ];
    let (away, unknown) = (ErrorKind::Unavailable, ErrorKind::Unknown);
    assert_eq!(kinds, [away, away, away, unknown, unknown]);
    assert_eq!(start.elapsed().as_secs(), 5 * 2);
    shop.heal();
    sessions.ping().await.unwrap();
}
