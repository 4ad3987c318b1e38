//! A node among others: its label, and how it is built.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Created, Error, ErrorKind, Forwards, Guarantees, KeyRing, Lifetime,
    OnReuse, Opened, Outcome, Patch, Presented, Record, Result, Route, SessionId, Step, Strategy,
    SubjectCap, Timestamp, Turn, Verifier,
};

use crate::misrouted::{Chain, Misrouted, route};
use crate::wire::{NOBODY, Signer, Wire, is_label};
use crate::{Capacity, Sticky, Table};

/// Builds one of several nodes: [`Sticky::node`]. Of what is impossible, `build` says all at once
/// what to write instead.
///
/// ```
/// # fn main() -> sessile_core::Result<()> {
/// use sessile_core::{KeyRing, MasterKey};
/// use sessile_memory::Sticky;
///
/// # let secret: Vec<u8> = (0..32).collect();
/// let ring = KeyRing::new(MasterKey::new("2026-11", secret)?);
/// let node = Sticky::node("n1").keys(ring).build()?;
/// # let _ = node;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StickyBuilder<B = Alone> {
    label: String,
    ring: Option<KeyRing>,
    capacity: Capacity,
    cap: Option<SubjectCap>,
    on_reuse: OnReuse,
    misrouted: Option<Vec<Misrouted>>,
    behind: B,
}

/// Nothing behind a node: its sessions are in its memory, and nowhere else.
#[derive(Debug)]
pub struct Alone(());

impl StickyBuilder {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        StickyBuilder {
            label: label.into(),
            ring: None,
            capacity: Capacity::default(),
            cap: None,
            on_reuse: OnReuse::default(),
            misrouted: None,
            behind: Alone(()),
        }
    }

    /// A node whose sessions are in its memory, and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a label that is none, without keys, or if the node is to adopt
    /// sessions: there is no store to adopt them from.
    pub fn build(self) -> Result<StickyNode> {
        let (parts, Alone(())) = self.parts(&[Misrouted::Fail], |chain| {
            chain.adopts().then_some(
                "Adopt needs a backing store to load the session from: add one, or write Fail",
            )
        })?;
        let sticky = Sticky::new().capacity(parts.capacity);
        let sticky = sticky.with(parts.signer, parts.cap, parts.on_reuse);
        let chain = parts.chain;
        Ok(StickyNode { sticky, chain })
    }

    #[cfg(feature = "backing")]
    pub(crate) fn in_front_of<B>(self, behind: B) -> StickyBuilder<B> {
        StickyBuilder {
            label: self.label,
            ring: self.ring,
            capacity: self.capacity,
            cap: self.cap,
            on_reuse: self.on_reuse,
            misrouted: self.misrouted,
            behind,
        }
    }
}

impl<B> StickyBuilder<B> {
    /// The keys of all nodes, the same on each: without them no node could tell a credential of
    /// another from a forged one. Required.
    #[must_use]
    pub fn keys(mut self, ring: KeyRing) -> Self {
        self.ring = Some(ring);
        self
    }

    /// How much is kept in memory. Default: a million sessions, 1 GiB.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }

    /// How many live sessions one subject may have. Default: any number.
    #[must_use]
    pub fn sessions_per_subject(mut self, cap: SubjectCap) -> Self {
        self.cap = Some(cap);
        self
    }

    /// What happens when a renewed credential is used after its grace. Default: the session ends.
    #[must_use]
    pub fn on_reuse(mut self, on_reuse: OnReuse) -> Self {
        self.on_reuse = on_reuse;
        self
    }

    /// What is done with a session of another node, tried in this order. Default:
    /// [`Adopt`](Misrouted::Adopt) with a backing store, else [`Fail`](Misrouted::Fail).
    #[must_use]
    pub fn misrouted(mut self, answers: impl IntoIterator<Item = Misrouted>) -> Self {
        self.misrouted = Some(answers.into_iter().collect());
        self
    }

    #[cfg(feature = "backing")]
    pub(crate) fn behind(&mut self) -> &mut B {
        &mut self.behind
    }

    /// What `build` makes a strategy of, if it is possible.
    pub(crate) fn parts(
        self,
        default: &[Misrouted],
        impossible: impl FnOnce(&Chain) -> Option<&'static str>,
    ) -> Result<(Parts, B)> {
        let mut wrong = Vec::new();
        if !is_label(&self.label) {
            wrong.push(format!(
                "the node's label is {:?}: write 1 to 16 of a-z and 0-9, such as n1",
                self.label
            ));
        } else if self.label == NOBODY {
            wrong.push("the label 0 is nobody's: write another one, such as n1".to_owned());
        }
        if self.ring.is_none() {
            wrong.push("a node needs keys, the same on all nodes: add keys(ring)".to_owned());
        }
        let chain = Chain::new(self.misrouted.as_deref().unwrap_or(default));
        match &chain {
            Err(reason) => wrong.push((*reason).to_owned()),
            Ok(chain) => wrong.extend(impossible(chain).map(str::to_owned)),
        }
        match (self.ring, chain) {
            (Some(ring), Ok(chain)) if wrong.is_empty() => {
                let parts = Parts {
                    signer: Signer::new(ring, &self.label),
                    capacity: self.capacity,
                    cap: self.cap,
                    on_reuse: self.on_reuse,
                    chain,
                };
                Ok((parts, self.behind))
            }
            _ => Err(Error::new(ErrorKind::Invalid, wrong.join("; "))),
        }
    }
}

/// What nodes of both kinds are made of.
pub(crate) struct Parts {
    pub(crate) signer: Signer,
    pub(crate) capacity: Capacity,
    pub(crate) cap: Option<SubjectCap>,
    pub(crate) on_reuse: OnReuse,
    pub(crate) chain: Chain,
}

/// Sessions in the memory of one node among others, as [`Sticky`] keeps them. Its label stands in
/// each credential, for a balancer to route on.
///
/// A node that is restarted under the same label, with the same keys, finds nothing: its clients
/// arrive as [`Arrival::Lost`]. Those of other nodes are [misrouted](StickyBuilder::misrouted).
#[derive(Debug)]
pub struct StickyNode {
    sticky: Sticky,
    chain: Chain,
}

impl StickyNode {
    /// The sessions, for figures such as [`Table::evicted`].
    pub fn table(&self) -> Arc<Table> {
        self.sticky.table()
    }
}

impl Strategy for StickyNode {
    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        self.sticky.attach(lifetime, now);
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let signer = self.sticky.signer();
        match Wire::parse_any(presented.text) {
            Some(wire) if wire.label == signer.node() => self.sticky.open(presented, now),
            Some(wire) if signer.verify(&wire, presented.carrier, now) => {
                Step::ready(self.chain.refuse(&wire, now))
            }
            _ => Step::ready(Ok(Opened::nothing(Arrival::Unknown))),
        }
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.sticky.create(record, now)
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        self.sticky.apply(record, patch, turn, now)
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        self.sticky.end(sid, now, until)
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        self.sticky.reload(record, now)
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        self.sticky.issue(record, verifier, carrier)
    }

    fn forwards(&self) -> Option<Forwards<'_>> {
        self.chain.forwards.then(|| self.sticky.signer().forwards())
    }

    fn route<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
        route(self.sticky.signer(), presented, now)
    }

    fn guarantees(&self) -> Guarantees {
        self.sticky.guarantees()
    }

    fn deadline(&self) -> Duration {
        self.sticky.deadline()
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        self.sticky.list(subject, now)
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        self.sticky.count(now)
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        self.sticky.sweep(now)
    }

    fn drain(&self, now: Timestamp, until: Timestamp) -> Step<Result<()>> {
        self.sticky.drain(now, until)
    }
}
