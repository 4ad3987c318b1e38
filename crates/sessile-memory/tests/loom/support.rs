//! Operations that the models are made of, and what is claimed of a model.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loom::thread::{self, JoinHandle};
use sessile_core::{
    Created, Credential, Lifetime, Loaded, Name, Outcome, Patch, Record, Rotation, SessionId, Text,
    Timestamp, Verifier, VerifierHash,
};
use sessile_memory::{Capacity, Table};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const ANN: &str = "ann";
pub(crate) const OLD: Verifier = Verifier::from_bytes([7; 16]);

pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn later() -> Timestamp {
    NOW.after(Duration::from_secs(60))
}

pub(crate) fn record(number: u8, subject: Option<&str>) -> Arc<Record> {
    let credential = Credential {
        sid: id(number),
        verifier: OLD,
    };
    let mut record = Record::new(&credential, NOW, &Lifetime::default());
    record.subject = subject.map(Into::into);
    Arc::new(record)
}

pub(crate) fn create(table: &Table, number: u8, subject: Option<&str>) -> Created {
    table.create(record(number, subject), None, NOW)
}

pub(crate) fn is_live(table: &Table, number: u8) -> bool {
    matches!(table.load(&id(number), NOW), Loaded::Live(_))
}

pub(crate) fn is_ended(table: &Table, number: u8) -> bool {
    matches!(table.load(&id(number), NOW), Loaded::Ended)
}

pub(crate) fn counted(record: &Record) -> u64 {
    let text = record.data.get("n");
    text.map_or(0, |text| text.decode().unwrap())
}

pub(crate) fn increment(seen: &Record) -> Patch {
    let mut patch = Patch::new(seen.version);
    let name = Name::new("n").unwrap();
    patch.set(name, Text::encode(&(counted(seen) + 1)).unwrap());
    patch
}

pub(crate) fn update(seen: &Record) -> Patch {
    let mut patch = increment(seen);
    patch.expect(Name::new("n").unwrap(), seen.data.get("n").cloned());
    patch
}

/// Adds one, again and again until it applied. Whether it did.
pub(crate) fn add(table: &Table, number: u8, patch: fn(&Record) -> Patch) -> bool {
    let Loaded::Live(mut seen) = table.load(&id(number), NOW) else {
        return false;
    };
    loop {
        match table.apply(&id(number), NOW, &patch(&seen)).unwrap() {
            Outcome::Applied(_) => return true,
            Outcome::Conflict(current) => seen = current,
            Outcome::Gone => return false,
            Outcome::Retry(..) => unreachable!("a table has no line"),
        }
    }
}

pub(crate) fn rotate(table: &Table, new: u8) -> bool {
    rotate_from(table, OLD.hash(), new)
}

pub(crate) fn rotate_from(table: &Table, expect: VerifierHash, new: u8) -> bool {
    let new = Verifier::from_bytes([new; 16]);
    let mut patch = Patch::new(0);
    patch.rotate(Some(Rotation {
        expect,
        new: new.hash(),
        wrapped: OLD.wrap(&id(1), &new),
    }));
    let applied = table.apply(&id(1), NOW, &patch).unwrap();
    matches!(applied, Outcome::Applied(_))
}

/// Runs the model in every interleaving; each of these outcomes must have been seen.
pub(crate) fn see<T: PartialEq + Debug + Send + 'static>(
    outcomes: &[T],
    model: impl Fn() -> T + Send + Sync + 'static,
) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let all = seen.clone();
    loom::model(move || {
        let outcome = model();
        all.lock().unwrap().push(outcome);
    });
    let seen = seen.lock().unwrap();
    for outcome in outcomes {
        assert!(seen.contains(outcome), "{outcome:?} never came about");
    }
    assert!(seen.iter().all(|outcome| outcomes.contains(outcome)));
}

/// The control: some interleaving breaks the law.
pub(crate) fn refute(law: &str, model: impl Fn() + Send + Sync + 'static) {
    let checked = catch_unwind(AssertUnwindSafe(|| loom::model(model)));
    let panic = checked.expect_err("a broken operation keeps the law: the model can't see");
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let message = message.unwrap_or_default();
    assert!(message.contains(law), "it failed otherwise: {message}");
}

pub(crate) fn with<T: 'static>(
    table: &Arc<Table>,
    work: impl FnOnce(&Table) -> T + 'static,
) -> JoinHandle<T> {
    let table = table.clone();
    thread::spawn(move || work(&table))
}

pub(crate) fn table(sessions: usize) -> Arc<Table> {
    Arc::new(Table::new(Capacity::sessions(sessions).bytes(usize::MAX)))
}
