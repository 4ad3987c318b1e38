//! The laws of nodes: several strategies over one store, and their clients.

mod store;

mod budget;
mod drain;
mod fence;
mod misrouted;
mod outcomes;
mod protocol;

use std::time::Duration;

use sessile_core::{
    Arrival, Created, Credential, GRACE, Held, KeyRing, Lifetime, MasterKey, Opened, Outcome,
    Patch, Presented, Record, Rotation, Strategy, Timestamp, Verifier,
};
use sessile_memory::{BackedSticky, Backing, Capacity, Sticky, StickyBuilder};

use self::store::{Fault, Model};
use crate::support::*;

const CARRIER: &str = "__Host-sid";
const REVALIDATE: Duration = Duration::from_secs(5);

fn ring() -> KeyRing {
    KeyRing::new(MasterKey::new("k", (0..32).collect::<Vec<u8>>()).unwrap())
}

fn builder(label: &str, store: &Model) -> StickyBuilder<Backing> {
    Sticky::node(label).keys(ring()).backing(store.clone())
}

fn node(label: &str, store: &Model) -> BackedSticky {
    builder(label, store).build().unwrap()
}

/// Two nodes over one store.
fn nodes() -> (BackedSticky, BackedSticky, Model) {
    let store = Model::default();
    (node("n1", &store), node("n2", &store), store)
}

fn presented(text: &str, now: Timestamp) -> Presented<'_> {
    Presented {
        text: text.as_bytes(),
        carrier: CARRIER,
        arrived: now,
    }
}

async fn open(node: &impl Strategy, text: &str, now: Timestamp) -> Opened {
    node.open(&presented(text, now), now).await.unwrap()
}

async fn arrival(node: &impl Strategy, text: &str, now: Timestamp) -> Arrival {
    open(node, text, now).await.arrival
}

async fn held(node: &impl Strategy, text: &str, now: Timestamp) -> Held {
    let opened = open(node, text, now).await;
    assert_eq!(opened.arrival, Arrival::Resumed);
    opened.into_held().unwrap()
}

/// A session made at `now`, and what its client was given.
async fn login(node: &impl Strategy, now: Timestamp) -> (Credential, String) {
    let credential = Credential::random();
    let record = Record::new(&credential, now, &Lifetime::default());
    let text = issue(node, &record, &credential.verifier);
    let created = node.create(record.into(), now).await.unwrap();
    assert_eq!(created, Created::Created);
    (credential, text)
}

fn issue(node: &impl Strategy, record: &Record, verifier: &Verifier) -> String {
    node.issue(record, verifier, CARRIER).unwrap()
}

/// Writes `a`, and returns what the client is given then.
async fn write(node: &impl Strategy, text: &str, value: u64, now: Timestamp) -> String {
    let held = held(node, text, now).await;
    match try_write(node, &held, value, now).await {
        Ok(Outcome::Applied(record)) => {
            assert_eq!(value_of(&record), Some(value));
            issue(node, &record, &held.verifier)
        }
        other => panic!("{other:?}"),
    }
}

/// Writes `a` on what was opened.
async fn try_write(
    node: &impl Strategy,
    held: &Held,
    value: u64,
    now: Timestamp,
) -> sessile_core::Result<Outcome> {
    let mut patch = set("a", value);
    patch.raise_base(held.known);
    node.apply(&held.record, &patch, None, now).await
}

/// Rotates the verifier, and returns what the client is given then.
async fn renew(node: &impl Strategy, text: &str, now: Timestamp) -> String {
    let held = held(node, text, now).await;
    let new = Verifier::random();
    let mut patch = Patch::new(held.known);
    patch.rotate(Some(Rotation {
        expect: held.record.hash,
        new: new.hash(),
        wrapped: held.verifier.wrap(&held.record.sid, &new),
    }));
    let applied = node.apply(&held.record, &patch, None, now).await.unwrap();
    let Outcome::Applied(record) = applied else {
        panic!("nobody else renews");
    };
    issue(node, &record, &new)
}

fn value_of(record: &Record) -> Option<u64> {
    record.data.get("a").map(|text| text.decode().unwrap())
}

/// What a client reads, which must be `Resumed`.
async fn read(node: &impl Strategy, text: &str, now: Timestamp) -> Option<u64> {
    value_of(&held(node, text, now).await.record)
}

fn label(text: &str) -> &str {
    text.split('.').next().unwrap()
}

/// What a response to this request gives the client, if it gives it anything.
fn reissued(node: &impl Strategy, text: &str, held: &Held) -> Option<String> {
    node.reissues(&presented(text, NOW), held)
        .then(|| issue(node, &held.record, &held.verifier))
}
