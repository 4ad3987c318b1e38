//! Turns: the updates of one session go one after the other, and whoever leaves the line lets the
//! next one in.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use sessile::{ErrorKind, LazySession, Session, SessionLayer, Stored};
use sessile_conformance::{Fault, Operation};
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer as _, Service as _, service_fn};

use crate::client::{Client, at_once, send};
use crate::shop::{Shop, failed};

const MILLI: Duration = Duration::from_millis(1);

/// A shop whose store takes a millisecond to answer.
async fn distant() -> (Shop, Client) {
    let shop = Shop::with(|stored| stored.deadline(Duration::from_secs(10)));
    let mut client = Client::default();
    client.insert(&shop.layer, "n", 0).await;
    for operation in [Operation::Load, Operation::Apply] {
        shop.fail(operation, Fault::Delay(MILLI));
    }
    shop.calls.reset();
    (shop, client)
}

/// Counts, and keeps what it was told.
async fn count(session: Session, seen: &Mutex<Vec<u64>>) -> sessile::Result<()> {
    let add = |n: &mut u64| {
        *n += 1;
        *n
    };
    let n = session.update_now("n", add).await?;
    seen.lock().unwrap().push(n);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_updates_at_once_cost_a_thousand_calls() {
    let (shop, mut client) = distant().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    at_once(&shop.layer, &client, 1000, async move |_, session| {
        count(session, &told).await
    })
    .await;
    assert_eq!(shop.asked(Operation::Load), 1000);
    // Who comes next starts from what the one before left, without asking.
    assert_eq!(shop.asked(Operation::Apply), 1000);
    assert_eq!(*seen.lock().unwrap(), (1..=1000).collect::<Vec<_>>());
    assert_eq!(client.look(&shop.layer).await, "nobody n=1000 resumed");
}

/// The control: between two processes there are no turns, and the loser of each race asks twice.
#[tokio::test(start_paused = true)]
async fn updates_from_two_processes_are_as_exact_and_cost_more() {
    let (shop, mut client) = distant().await;
    let other = Stored::new(shop.calls.clone()).deadline(Duration::from_secs(10));
    let other = SessionLayer::new(other).clock(shop.clock.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let run = |layer: &SessionLayer| {
        let (layer, client, told) = (layer.clone(), client.clone(), seen.clone());
        async move {
            let handler = async move |_, session| count(session, &told).await;
            at_once(&layer, &client, 200, handler).await;
        }
    };
    tokio::join!(run(&shop.layer), run(&other));
    seen.lock().unwrap().sort_unstable();
    assert_eq!(*seen.lock().unwrap(), (1..=400).collect::<Vec<_>>());
    let asked = shop.asked(Operation::Apply);
    assert!((401..=800).contains(&asked), "{asked}");
    assert_eq!(client.look(&shop.layer).await, "nobody n=400 resumed");
}

/// And whoever polled it may keep the future of a response that was answered.
#[tokio::test(start_paused = true)]
async fn an_update_that_fails_on_its_second_run_gives_up_its_turn() {
    for by_the_layer in [false, true] {
        let (shop, client) = distant().await;
        let other = Mutex::new(client.clone());
        let handler = async |request: Request<String>| {
            let lazy = request.extensions().get::<LazySession>().unwrap();
            let session = lazy.load().await?;
            // No number any more by the time of the update.
            let mut other = other.lock().unwrap().clone();
            let text = async |session: Session| session.insert("n", "text");
            other.post(&shop.layer, text).await;
            let add = |n: &mut u64| *n += 1;
            match by_the_layer {
                true => session.update("n", add)?,
                false => session.update_now("n", add).await?,
            }
            Ok::<_, sessile::Error>(Response::<String>::default())
        };
        let handler = async |request| {
            Ok(handler(request)
                .await
                .unwrap_or_else(|error| error.response()))
        };
        let mut service = shop.layer.layer(service_fn(handler));
        let mut failing = pin!(service.call(client.request(Method::POST)));
        let answer: Result<_, Infallible> = failing.as_mut().await;
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        failed(&answer.unwrap(), status, ErrorKind::Decode);
        let start = Instant::now();
        let update =
            async |session: Session| session.update("n", |text: &mut String| text.push('s'));
        let answer = client.clone().post(&shop.layer, update).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(start.elapsed() < 10 * MILLI, "{:?}", start.elapsed());
        let look = client.clone().look(&shop.layer).await;
        assert_eq!(look, "nobody n=\"texts\" resumed");
    }
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_in_the_line_blocks_nobody() {
    let (shop, client) = distant().await;
    shop.heal();
    // The first one takes a second; the others wait for it.
    let faulty = shop.calls.inner();
    faulty.fail_next(Operation::Apply, Fault::Delay(Duration::from_secs(1)));
    let update = |patience: Duration| {
        let (layer, request) = (shop.layer.clone(), client.request(Method::POST));
        async move {
            let add = async |session: Session| session.update("n", |n: &mut u64| *n += 1);
            timeout(patience, send(&layer, request, add)).await
        }
    };
    let long = Duration::from_secs(60);
    let last = async {
        sleep(3 * MILLI).await;
        let start = Instant::now();
        (update(long).await.unwrap().status(), start.elapsed())
    };
    let waiter = async {
        sleep(MILLI).await;
        update(100 * MILLI).await
    };
    let (first, waiter, (last, waited)) = tokio::join!(update(long), waiter, last);
    assert_eq!(first.unwrap().status(), StatusCode::OK);
    assert!(waiter.is_err(), "it hung up in the line");
    assert_eq!(last, StatusCode::OK);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    let look = client.clone().look(&shop.layer).await;
    assert_eq!(look, "nobody n=2 resumed");
}

/// So does the one whose turn it is.
#[tokio::test(start_paused = true)]
async fn who_hangs_up_in_its_turn_blocks_nobody() {
    let (shop, client) = distant().await;
    shop.heal();
    let faulty = shop.calls.inner();
    faulty.fail_next(Operation::Apply, Fault::NeverMade);
    let add = async |session: Session| session.update("n", |n: &mut u64| *n += 1);
    let first = send(&shop.layer, client.request(Method::POST), add);
    let second = send(&shop.layer, client.request(Method::POST), add);
    let start = Instant::now();
    let (first, second) = tokio::join!(timeout(100 * MILLI, first), second);
    assert!(first.is_err());
    assert_eq!(second.status(), StatusCode::OK);
    assert!(start.elapsed() <= 101 * MILLI, "{:?}", start.elapsed());
    let look = client.clone().look(&shop.layer).await;
    assert_eq!(look, "nobody n=1 resumed");
}
