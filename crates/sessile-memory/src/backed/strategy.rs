//! The strategy: what needs no store is answered at once.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Claim, Created, Forwards, Guarantees, Held, Opened, Outcome, Patch,
    Presented, Record, Result, Revocation, Route, SessionId, Step, Store, Strategy, Timestamp,
    Turn, Verifier,
};
use tokio::time::timeout;

use super::protocol::{Asked, Node};
use crate::misrouted::route;
use crate::wire::{NOBODY, Wire};

/// Sessions in a store, with copies in the memory of this node.
///
/// **Promises**: what was acknowledged is in the store; any node that adopts can go on with it. No
/// client reads a state older than its own credential speaks of without arriving as
/// [`Arrival::Stale`]. What happened by way of another node is seen after
/// [`revalidate`](crate::StickyBuilder::revalidate) at the latest. **Costs**: a write is a call to the
/// store; a read is none while the copy is fresh.
#[derive(Debug)]
pub struct BackedSticky(pub(super) Arc<Node>);

impl BackedSticky {
    /// How many copies are in memory.
    pub fn copies(&self) -> usize {
        self.0.copies.count()
    }
}

impl Strategy for BackedSticky {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let node = &self.0;
        let Some(wire) = Wire::parse_any(presented.text) else {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        };
        let own = wire.label == node.signer.node();
        let copy = node.copies.get(&wire.credential.sid);
        if own
            && !node.is_draining()
            && let Some(copy) = copy.as_ref()
            && node.is_fresh(copy, wire.version, now)
        {
            let (record, credential) = (copy.record.clone(), wire.credential.clone());
            let opened = Opened::judged(record, credential, presented.arrived);
            // The tag is only worth its price where nothing else decides: a verifier that matches
            // was made by us, and of what else is said nothing is used to look anything up.
            if opened.held().is_some() {
                return Step::ready(Ok(opened));
            }
        }
        // Else the version and the label count, and that only where the tag holds; and what was
        // forged reaches no store.
        if !node.signer.verify(&wire, presented.carrier, now) {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        }
        if !own && wire.label != NOBODY && !node.chain.adopts() {
            return Step::ready(node.chain.refuse(&wire, now));
        }
        if own && node.is_draining() {
            node.note_straggler();
        }
        let asked = Asked {
            version: wire.version,
            before: copy.map(|copy| copy.record),
            credential: wire.credential,
            arrived: presented.arrived,
            now,
        };
        let node = node.clone();
        Step::wait(async move { node.load(asked).await })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        let node = self.0.clone();
        Step::wait(async move {
            let created = node.calls.create(record.clone(), node.cap, now).await?;
            if created == Created::Created {
                node.keep(record, None, now);
            }
            Ok(created)
        })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (node, record, patch) = (self.0.clone(), record.clone(), patch.clone());
        Step::wait(async move { node.apply(record, patch, turn, now).await })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let node = self.0.clone();
        Step::wait(async move { node.end(sid, now, until).await })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let (node, record) = (self.0.clone(), record.clone());
        Step::wait(async move { node.reload(&record, now).await })
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        let signer = &self.0.signer;
        Ok(if self.0.is_draining() {
            signer.issue_for_nobody(record, verifier, carrier)
        } else {
            signer.issue(record, verifier, carrier)
        })
    }

    fn reissues(&self, presented: &Presented<'_>, held: &Held) -> bool {
        let node = &self.0;
        let label = node.label();
        let says_less = |(said, version)| said != label.as_bytes() || version < held.record.version;
        // In a browser the credential of a session that has ended would overwrite that of the
        // login which ended it.
        (held.reissue || Wire::says(presented.text).is_some_and(says_less))
            && !node.copies.has_ended(&held.record.sid)
    }

    fn forwards(&self) -> Option<Forwards<'_>> {
        self.0.chain.forwards.then(|| self.0.signer.forwards())
    }

    fn route<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
        route(&self.0.signer, presented, now)
    }

    fn guarantees(&self) -> Guarantees {
        let mut guarantees = self.0.calls.guarantees();
        guarantees.any_node &= self.0.chain.adopts();
        if !self.0.revalidate.is_zero() {
            guarantees.revocation = match guarantees.revocation {
                Revocation::Immediate => Revocation::Within(self.0.revalidate),
                Revocation::Within(bound) => Revocation::Within(bound + self.0.revalidate),
                other => other,
            };
        }
        guarantees
    }

    fn deadline(&self) -> Duration {
        self.0.calls.deadline()
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let (calls, subject) = (self.0.calls.clone(), subject.to_owned());
        Step::wait(async move { calls.list(&subject, now).await })
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.count(now).await })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        self.0.copies.sweep(now);
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.sweep(now).await })
    }

    fn ping(&self) -> Step<Result<()>> {
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.ping().await })
    }

    /// From now on every session that is used or made is nobody's. Done when for a while nobody
    /// came with this node's label, or the time is over: whoever comes later is served by the
    /// nodes that are left.
    fn drain(&self, now: Timestamp, until: Timestamp) -> Step<Result<()>> {
        self.0.start_draining();
        let (node, limit) = (self.0.clone(), until.since(now));
        Step::wait(async move {
            let _ = timeout(limit, node.quiet()).await;
            Ok(())
        })
    }

    fn claim(&self, presented: &Presented<'_>, now: Timestamp) -> Option<Claim> {
        let wire = Wire::parse_any(presented.text)?;
        let is_ours = self.0.signer.verify(&wire, presented.carrier, now);
        is_ours.then(|| Claim {
            sid: wire.credential.sid,
            hash: Some(wire.credential.verifier.hash()),
        })
    }

    fn ledger(&self) -> Option<Arc<dyn Store>> {
        Some(self.0.calls.store().clone())
    }
}
