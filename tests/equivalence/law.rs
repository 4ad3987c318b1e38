//! A law: what it needs of a strategy's guarantees, and how it is put to the test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::beds::{Bed, Promised};

pub(crate) struct Law {
    pub(crate) name: &'static str,
    /// The guarantees without which there is nothing to hold.
    pub(crate) needs: &'static [Need],
    pub(crate) check: fn(&Bed),
}

/// A guarantee that a law rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A copy of a credential can be taken back.
    Revocation,
    /// Concurrent writes are merged.
    Merging,
    /// Another node serves the session.
    AnyNode,
    /// What is done on one node holds on all.
    Scope,
    /// What was acknowledged is there when the process is not.
    Durability,
}

/// What became of a law on a bed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Held,
    /// The guarantee that excludes it.
    Skipped(Need),
    Broken(String),
}

impl Law {
    /// Whether it waits for time to pass.
    pub(crate) fn waits(&self) -> bool {
        self.name.contains("deadline")
    }

    pub(crate) fn put_to(&self, bed: &Bed) -> Verdict {
        let missing = self.needs.iter().find(|need| !need.is_met(&bed.promised));
        if let Some(need) = missing {
            return Verdict::Skipped(*need);
        }
        match catch_unwind(AssertUnwindSafe(|| (self.check)(bed))) {
            Ok(()) => Verdict::Held,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let word = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                Verdict::Broken(text.or(word).unwrap_or_default())
            }
        }
    }
}

impl Need {
    fn is_met(self, promised: &Promised) -> bool {
        match self {
            Need::Revocation => promised.revoked_within.is_some(),
            Need::Merging => promised.merges,
            Need::AnyNode => promised.any_node,
            Need::Scope => promised.all_nodes,
            Need::Durability => promised.outlives_the_process,
        }
    }

    /// The field of `Guarantees`.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Need::Revocation => "revocation",
            Need::Merging => "writes",
            Need::AnyNode => "any node",
            Need::Scope => "scope",
            Need::Durability => "durability",
        }
    }
}
