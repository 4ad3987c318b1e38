//! What the compiler promises.

use std::future::Future;

use sessile::{LazySession, Session, SessionLayer, Sessions, Typed};

use crate::client::fresh;
use crate::probe::Probe;

fn shareable<T: Clone + Send + Sync + 'static>() {}
fn sendable<T: Send>(value: T) -> T {
    value
}

#[test]
fn handles_are_clone_send_and_sync() {
    shareable::<Session>();
    shareable::<LazySession>();
    shareable::<SessionLayer>();
    shareable::<Sessions>();
    shareable::<Typed<Vec<std::cell::Cell<u8>>>>();
    shareable::<sessile::Error>();
    shareable::<sessile::SessionService<std::sync::Arc<()>>>();
}

#[test]
fn every_future_can_be_sent_to_another_thread() {
    fn futures(session: &Session, lazy: &LazySession, sessions: &Sessions) {
        let add = |n: &mut u64| *n += 1;
        drop(sendable(session.commit()));
        drop(sendable(session.reload()));
        drop(sendable(session.update_now("n", add)));
        drop(sendable(session.take_now::<u64>("n")));
        drop(sendable(lazy.load()));
        drop(sendable(lazy.load_existing()));
        drop(sendable(sessions.list("alice")));
        drop(sendable(sessions.revoke_all("alice")));
        drop(sendable(sessions.revoke_others(session)));
    }
    let _ = futures;
    fn response<F: Future + Send, B: Send>() -> impl Sized {
        sendable::<Option<sessile::ResponseFuture<F, B>>>(None)
    }
    let _ = response::<std::future::Ready<()>, String>();
}

#[test]
fn the_type_of_a_layer_does_not_tell_its_strategy() {
    let layers: [SessionLayer; 2] = [fresh().0, SessionLayer::new(Probe::new())];
    assert_eq!(layers.len(), 2);
}

#[test]
fn one_word_decides_the_strategy_at_run_time() {
    let strategy: Box<dyn sessile::Strategy> = Box::new(Probe::new());
    assert_eq!(strategy.guarantees().max_bytes, 64 * 1024);
}

#[test]
fn what_must_not_compile_does_not() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
