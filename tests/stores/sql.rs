//! What the stores over SQL have in common and no law of a store can see: each test is written
//! once and run on every database, see `on!`.
//!
//! What only one database can get wrong stands in the file of that database.

pub(crate) mod cancel;
pub(crate) mod corrupt;
pub(crate) mod limits;
pub(crate) mod staged;
pub(crate) mod sweep;

use std::future::Future;
use std::sync::Arc;

use sessile_core::{SessionId, Store};

/// A database for one test.
pub(crate) trait Bed: Send + Sync {
    /// The store under test.
    fn store(&self) -> Arc<dyn Store>;
    /// Takes all connections of the store at once, and says how many there were.
    fn connections(&self) -> impl Future<Output = usize> + Send;
}

/// A database whose tables can be reached past the store.
pub(crate) trait Tables: Bed {
    /// Another store on the same tables, with connections of its own.
    fn another(&self) -> impl Future<Output = Arc<dyn Store>> + Send;
    /// Runs a statement on the tables; `sessions` in it is the table's name.
    fn run(&self, sql: &str) -> impl Future<Output = ()> + Send;
    /// Holds the row of this session locked until `operation` waits for it; runs a statement, lets
    /// go, and gives what became of the operation.
    fn staged<T: Send>(
        &self,
        sid: &SessionId,
        statement: &str,
        operation: impl Future<Output = T> + Send,
    ) -> impl Future<Output = T> + Send;
    /// How bytes are written in a statement.
    fn bytes(&self, bytes: &[u8]) -> String;
    /// How an id is written in a statement.
    fn id(&self, sid: &SessionId) -> String {
        self.bytes(sid.as_bytes())
    }
}

/// Each test on one kind of bed.
macro_rules! on {
    ($bed:ty) => {
        crate::sql::on! { $bed:
            limits::what_no_column_takes_is_refused,
            limits::a_tombstone_keeps_nothing,
            corrupt::what_cannot_be_read_is_corrupt_never_overwritten_and_can_be_ended,
            staged::an_apply_that_waited_for_a_change_of_its_key_is_a_conflict_with_that_change,
            staged::an_apply_that_waited_for_another_key_keeps_both,
            staged::an_apply_that_waited_for_an_end_is_gone,
            staged::an_end_that_waited_for_a_write_returns_it,
            sweep::a_sweep_waits_for_a_margin,
            sweep::a_sweep_leaves_what_was_used_meanwhile,
            cancel::cancelled_operations_leave_nothing_behind,
        }
    };
    ($bed:ty: $($module:ident :: $test:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::sql::$module::$test(&<$bed>::new().await).await;
            }
        )*
    };
}
pub(crate) use on;

/// Takes all connections of a pool at once, and says how many there were.
pub(crate) async fn connections<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> usize {
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        held.push(pool.acquire().await.unwrap());
    }
    held.len()
}
