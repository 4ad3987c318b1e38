//! Clients that hang up: wherever their request is dropped, a logout that was begun is finished,
//! and nothing else is.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use http::Method;
use sessile::Session;
use sessile_conformance::{Fault, Operation};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::client::{Client, send};
use crate::shop::Shop;

/// A shop in which every call takes a while, and its customer.
async fn slow() -> (Shop, Client) {
    let shop = Shop::new();
    let client = shop.customer().await;
    for operation in Operation::ALL {
        shop.fail(operation, Fault::Delay(Duration::from_millis(10)));
    }
    shop.calls.reset();
    (shop, client)
}

/// Sends a request and hangs up when it was polled so often. Says whether it was answered before.
async fn hang_up(
    shop: &Shop,
    client: &Client,
    polls: usize,
    handler: impl AsyncFnOnce(Session) -> sessile::Result<()>,
) -> bool {
    let mut request = pin!(send(&shop.layer, client.request(Method::POST), handler));
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match request.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polled == polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Waits until whatever goes on without its client must be over.
async fn settle() {
    sleep(Duration::from_secs(3)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

/// Logs out in one of three ways: by the layer's commit, by the handler's own, and with a write
/// that is saved first.
async fn log_out(session: Session, way: usize) -> sessile::Result<()> {
    match way {
        0 => session.logout(),
        1 => {
            session.logout()?;
            session.commit().await
        }
        _ => {
            session.insert("a", 2)?;
            session.commit().await?;
            session.logout()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_was_begun_is_finished_wherever_the_client_hangs_up() {
    for way in 0..3 {
        let mut finished = 0;
        for polls in 1.. {
            let (shop, client) = slow().await;
            let mut begun = false;
            let answered = hang_up(&shop, &client, polls, async |session| {
                // What follows it is not waited for.
                begun = way < 2;
                log_out(session, way).await?;
                begun = true;
                Ok(())
            })
            .await;
            settle().await;
            shop.heal();
            let look = client.clone().look(&shop.layer).await;
            assert_eq!(look == "nobody ended", begun, "{way}, {polls}: {look}");
            assert_eq!(shop.asked(Operation::End), u64::from(begun), "{polls}");
            finished += u64::from(begun && !answered);
            if answered {
                break;
            }
        }
        assert!(finished > 0, "the client did hang up during the logout");
    }
}

/// The control: what is no end is dropped with its client.
#[tokio::test(start_paused = true)]
async fn a_write_is_given_up_with_its_client() {
    for polls in 1..3 {
        let (shop, client) = slow().await;
        let answered = hang_up(&shop, &client, polls, async |session| {
            session.insert("a", 2)
        });
        assert!(!answered.await);
        settle().await;
        shop.heal();
        let look = client.clone().look(&shop.layer).await;
        assert_eq!(look, "nobody a=1 resumed", "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_is_finished_begins_nothing_else() {
    for polls in 1.. {
        let (shop, client) = slow().await;
        let answered = hang_up(&shop, &client, polls, async |session| {
            session.logout()?;
            session.login("bob")?;
            session.insert("b", 1)
        })
        .await;
        settle().await;
        if answered {
            assert!(polls > 3, "it was given up during the end and the login");
            break;
        }
        assert_eq!(shop.asked(Operation::Apply), 0);
        // The login is a request's own: in the midst of it, its answer goes to nobody.
        let begun = u64::from(polls > 2);
        assert_eq!(shop.asked(Operation::Create), begun, "{polls}");
        assert_eq!(shop.asked(Operation::End), u64::from(polls > 1), "{polls}");
        shop.heal();
        let sessions = shop.layer.sessions();
        assert_eq!(sessions.list("bob").await.unwrap().len(), 0, "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_given_up_leaves_the_client_where_it_was() {
    for polls in 1..4 {
        let (shop, client) = slow().await;
        let answered = hang_up(&shop, &client, polls, async |session| {
            session.login("alice")
        });
        assert!(!answered.await);
        settle().await;
        shop.heal();
        let look = client.clone().look(&shop.layer).await;
        assert_eq!(look, "nobody a=1 resumed", "{polls}");
    }
}

/// It does not wait for ever either, and what it leaves is no task.
#[tokio::test(start_paused = true)]
async fn a_logout_that_the_store_never_answers_is_given_up_at_the_deadline() {
    let (shop, client) = slow().await;
    shop.heal();
    shop.fail(Operation::End, Fault::NeverMade);
    let answered = hang_up(&shop, &client, 1, async |session| session.logout());
    assert!(!answered.await);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);
    settle().await;
}
