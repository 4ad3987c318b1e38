//! Sessions in memory, under credentials that carry the label of a node and a signature of their
//! own: `<node>.<what the memory issued>.<tag>`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sessile::{
    Arrival, ErrorKind, Guarantees, KeyRing, MasterKey, SessionId, Sticky, Strategy, Timestamp,
};
use sessile_core::{
    Created, Error, Forwards, Macs, Opened, Outcome, Patch, Presented, Record, Result, Route, Step,
    Tag, Turn, Verifier,
};

/// What a node answers to a credential of another one when it is not sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Adopt,
    Fail,
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Labelled(Arc<State>);

#[derive(Debug)]
struct State {
    node: &'static str,
    /// Shared by all nodes, as a backing store would be.
    memory: Arc<Sticky>,
    keys: KeyRing,
    macs: Macs,
    next: Next,
    counted: AtomicU64,
    opened: AtomicU64,
}

pub(crate) fn keys() -> KeyRing {
    let secret: Vec<u8> = (0..32).collect();
    KeyRing::new(MasterKey::new("k", secret).unwrap())
}

impl Labelled {
    pub(crate) fn new(node: &'static str, memory: Arc<Sticky>, next: Next) -> Self {
        Labelled(Arc::new(State {
            node,
            memory,
            keys: keys(),
            macs: Macs::new(keys(), "test/label/1", ""),
            next,
            counted: AtomicU64::new(0),
            opened: AtomicU64::new(0),
        }))
    }

    /// How many signatures were checked to find an owner.
    pub(crate) fn checks(&self) -> u64 {
        self.0.counted.load(Ordering::SeqCst)
    }

    /// How many credentials were opened.
    pub(crate) fn opens(&self) -> u64 {
        self.0.opened.load(Ordering::SeqCst)
    }

    /// A well-signed credential of a node, that opens nothing.
    pub(crate) fn credential_of(&self, node: &str) -> String {
        self.sign(&format!("{node}.nothing"), "__Host-sid")
    }

    /// The same, for another carrier.
    pub(crate) fn bearer_of(&self, node: &str) -> String {
        self.sign(&format!("{node}.nothing"), "authorization")
    }

    fn sign(&self, text: &str, carrier: &str) -> String {
        let tag = u128::from_be_bytes(self.0.macs.tag(carrier, text.as_bytes()));
        format!("{text}.{tag:032x}")
    }

    /// Label and the memory's credential, if the tag is good.
    fn verify<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Option<(&'a str, &'a str)> {
        let text = std::str::from_utf8(presented.text).ok()?;
        let (text, tag) = text.rsplit_once('.')?;
        let tag: Tag = u128::from_str_radix(tag, 16).ok()?.to_be_bytes();
        self.0.counted.fetch_add(1, Ordering::SeqCst);
        let macs = &self.0.macs;
        if !macs.verify(presented.carrier, text.as_bytes(), &tag, now) {
            return None;
        }
        text.split_once('.')
    }
}

impl Strategy for Labelled {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        let Some((label, text)) = self.verify(presented, now) else {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        };
        if label != self.0.node && self.0.next == Next::Fail {
            let error = Error::new(ErrorKind::WrongNode, "the session is on another node");
            return Step::ready(Err(error));
        }
        let presented = Presented {
            text: text.as_bytes(),
            ..*presented
        };
        self.0.memory.open(&presented, now)
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.0.memory.create(record, now)
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        self.0.memory.apply(record, patch, turn, now)
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        self.0.memory.end(sid, now, until)
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        self.0.memory.reload(record, now)
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        let text = self.0.memory.issue(record, verifier, carrier)?;
        Ok(self.sign(&format!("{}.{text}", self.0.node), carrier))
    }

    fn forwards(&self) -> Option<Forwards<'_>> {
        Some(Forwards {
            node: self.0.node,
            keys: &self.0.keys,
        })
    }

    fn route<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
        match self.verify(presented, now) {
            Some((label, _)) if label != self.0.node => Route::Foreign(label),
            _ => Route::Own,
        }
    }

    fn guarantees(&self) -> Guarantees {
        self.0.memory.guarantees()
    }
}
