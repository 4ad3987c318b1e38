//! What the tests of [`store!`](crate::store) call.

use crate::{Depth, Factory, laws};

/// Checks a law in a runtime of its own, and panics if the store breaks it.
///
/// # Panics
///
/// That is how a test says so.
pub fn test(name: &str, stores: &dyn Factory, depth: Depth) {
    let Some(law) = laws().iter().find(|law| law.name() == name) else {
        panic!("there is no law `{name}`");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test has threads and file descriptors enough for a runtime");
    let depth = Depth::asked_for().unwrap_or(depth);
    if let Err(violation) = runtime.block_on(law.check_at(stores, depth)) {
        panic!("{name}: {violation}\nthe law: {}", law.about());
    }
}
