//! The laws of the stores over SQL, each written once and run on every database: see `laws!`.
//!
//! What only one database can get wrong stands in the file of that database.

pub mod cancel;
pub mod caps;
pub mod corrupt;
pub mod ends;
pub mod model;
pub mod races;
pub mod round_trip;
pub mod staged;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Credential, Lifetime, Name, Patch, Record, SessionId, Store, Text, Timestamp};

/// A database with tables of its own for one test.
pub trait Bed: Send + Sync {
    /// The store under test.
    fn store(&self) -> Arc<dyn Store>;
    /// Another one on the same tables, with connections of its own.
    fn another(&self) -> impl Future<Output = Arc<dyn Store>> + Send;
    /// Takes all connections of the store at once, and says how many there were.
    fn connections(&self) -> impl Future<Output = usize> + Send;
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
    /// How an id is written in a statement.
    fn id(&self, sid: &SessionId) -> String;
    /// How bytes are written in a statement.
    fn bytes(&self, bytes: &[u8]) -> String;
}

/// Each law as a test on one kind of bed.
macro_rules! laws {
    ($bed:ty) => {
        laws! { $bed:
            round_trip::every_field_round_trips,
            round_trip::extreme_keys_and_values_round_trip,
            round_trip::subjects_that_look_alike_are_different,
            round_trip::a_subject_that_is_too_long_is_refused,
            model::random_operations_give_what_the_model_gives,
            model::random_patches_give_what_the_reference_gives,
            races::increments_of_many_are_exact,
            races::writes_to_different_keys_never_conflict,
            races::a_session_that_ended_never_comes_back,
            races::of_rotations_from_one_verifier_exactly_one_wins,
            ends::an_end_returns_the_record_and_leaves_a_tombstone,
            ends::a_tombstone_is_never_shortened_and_keeps_nothing,
            ends::an_id_is_free_again_after_its_tombstones_time,
            caps::a_cap_is_exact_under_parallel_logins,
            caps::the_oldest_sessions_make_room,
            caps::a_taken_id_ends_nobody,
            corrupt::what_cannot_be_read_is_corrupt_never_overwritten_and_can_be_ended,
            staged::an_apply_that_waited_for_a_change_of_its_key_is_a_conflict_with_that_change,
            staged::an_apply_that_waited_for_another_key_keeps_both,
            staged::an_apply_that_waited_for_an_end_is_gone,
            staged::an_end_that_waited_for_a_write_returns_it,
            sweep::a_sweep_frees_what_is_past_its_margin_in_batches,
            sweep::a_sweep_leaves_what_was_used_meanwhile,
            cancel::cancelled_operations_leave_nothing_behind,
        }
    };
    ($bed:ty: $($module:ident :: $law:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                crate::sql::$module::$law(&<$bed>::new().await).await;
            }
        )*
    };
}
pub(crate) use laws;

/// When the tests take place.
pub fn start() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

/// So many milliseconds after that.
pub fn after(millis: u64) -> Timestamp {
    start().after(Duration::from_millis(millis))
}

/// A new record that lives for an hour.
pub fn record() -> Record {
    record_of(None)
}

/// A new record of a subject, or of nobody.
pub fn record_of(subject: Option<&str>) -> Record {
    let hour = Duration::from_secs(3600);
    let lifetime = Lifetime::new(hour, 2 * hour).unwrap();
    let mut record = Record::new(&Credential::random(), start(), &lifetime);
    record.subject = subject.map(Into::into);
    record
}

pub fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

pub fn text(text: &str) -> Text {
    Text::from_encoded(text)
}

/// A patch that sets one key, by someone who knows of version `base`.
pub fn set(base: u64, key: &str, value: &str) -> Patch {
    let mut patch = Patch::new(base);
    patch.set(name(key), text(value));
    patch
}

/// Takes all connections of a pool at once, and says how many there were.
pub async fn connections<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> usize {
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        held.push(pool.acquire().await.unwrap());
    }
    held.len()
}

/// Numbers that are the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % end
    }

    /// Once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
