//! The sweeper and the readiness check, over a store that is away for a while.

use std::time::Duration;

use sessile::ErrorKind;
use sessile_conformance::{Fault, Operation};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::client::minutes;
use crate::shop::Shop;

#[tokio::test(start_paused = true)]
async fn a_sweeper_survives_what_the_store_does_and_ends_with_its_handle() {
    let shop = Shop::new();
    for _ in 0..10 {
        shop.customer().await;
    }
    shop.clock.advance(minutes(60 * 24));
    let kept = async || shop.layer.sessions().sweep().await.unwrap();
    shop.fail(Operation::Sweep, Fault::Unavailable);
    let sweeper = shop.layer.sessions().sweep_every(minutes(1));
    let mut asked = 0;
    for fault in [Fault::Unavailable, Fault::Corrupt, Fault::NeverMade] {
        shop.heal();
        shop.fail(Operation::Sweep, fault);
        sleep(minutes(12)).await;
        let more = shop.asked(Operation::Sweep) - asked;
        // A pause is up to a fifth longer or shorter, and a deadline is two seconds.
        assert!((9..=15).contains(&more), "{fault:?}: {more}");
        asked += more;
    }
    shop.heal();
    sleep(minutes(2)).await;
    assert_eq!(kept().await, 0, "it has swept");
    drop(sweeper);
    shop.calls.reset();
    sleep(minutes(12)).await;
    assert_eq!(shop.calls.total(), 0);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_sweeper_it_is_all_still_there() {
    let shop = Shop::new();
    for _ in 0..10 {
        shop.customer().await;
    }
    shop.clock.advance(minutes(60 * 24));
    sleep(minutes(12)).await;
    assert_eq!(shop.layer.sessions().sweep().await.unwrap(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_readiness_check_fails_while_the_store_is_away_and_not_after() {
    let shop = Shop::new();
    let sessions = shop.layer.sessions();
    sessions.ping().await.unwrap();
    for (fault, kind) in [
        (Fault::Unavailable, ErrorKind::Unavailable),
        (Fault::AnswerLost, ErrorKind::Unknown),
        (Fault::NeverMade, ErrorKind::Unavailable),
        (Fault::Delay(Duration::from_secs(3)), ErrorKind::Unavailable),
    ] {
        shop.fail(Operation::Ping, fault);
        assert_eq!(sessions.ping().await.unwrap_err().kind(), kind, "{fault:?}");
        shop.heal();
        sessions.ping().await.unwrap();
    }
    assert_eq!(shop.asked(Operation::Ping), shop.calls.total());
}
