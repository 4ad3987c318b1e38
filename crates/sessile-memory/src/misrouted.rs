//! What a node does with a session of another node.

use sessile_core::{Arrival, Error, ErrorKind, Opened, Presented, Result, Route, Timestamp};

use crate::wire::{NOBODY, Signer, Wire};

/// What a node does with a request whose session belongs to another one. Several are tried in
/// order; the one that always has an answer comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misrouted {
    /// The request is forwarded to the session's node. Where that one can't be reached, the next
    /// answer counts.
    Forward,
    /// The session is loaded from the backing store, and is this node's from now on: the client
    /// is given its credential with this node's label, and a balancer follows.
    Adopt,
    /// The request fails with [`ErrorKind::WrongNode`] and says which node is the right one.
    Fail,
    /// The session is given up: the client arrives as [`Arrival::Lost`], and what it writes next
    /// makes a new session here. For nodes without a backing store whose labels come and go: the
    /// sessions of one that has gone would fail until they expire.
    Lost,
}

/// The answers, in an order that makes sense.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub(crate) forwards: bool,
    last: Misrouted,
}

impl Chain {
    /// Without an answer that ends it, a chain ends with [`Misrouted::Fail`].
    pub(crate) fn new(answers: &[Misrouted]) -> Result<Self, &'static str> {
        let (forwards, rest) = match answers {
            [] => return Err("misrouted is empty: write what a wrong node answers, such as Fail"),
            [Misrouted::Forward, rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let last = match rest {
            [] => Misrouted::Fail,
            [Misrouted::Adopt] | [Misrouted::Adopt, Misrouted::Fail] => Misrouted::Adopt,
            [last @ (Misrouted::Fail | Misrouted::Lost)] => *last,
            _ => {
                return Err(
                    "misrouted names an answer twice, or one that is never reached: write them in the order Forward, Adopt, Fail",
                );
            }
        };
        Ok(Chain { forwards, last })
    }

    pub(crate) fn adopts(&self) -> bool {
        self.last == Misrouted::Adopt
    }

    #[cfg(feature = "backing")]
    pub(crate) fn gives_up(&self) -> bool {
        self.last == Misrouted::Lost
    }

    /// The answer to a credential of ours that names another node, where it is not adopted.
    pub(crate) fn refuse(&self, wire: &Wire<'_>, now: Timestamp) -> Result<Opened> {
        if now >= wire.deadline {
            return Ok(Opened::nothing(Arrival::Expired));
        }
        if self.last == Misrouted::Lost {
            return Ok(Opened::nothing(Arrival::Lost));
        }
        if wire.label == NOBODY {
            let message = "the session is in a backing store, and this node has none";
            return Err(Error::new(ErrorKind::WrongNode, message));
        }
        let message = format!("the session belongs to node {}", wire.label);
        Err(Error::wrong_node(message, wire.label))
    }
}

/// Which node a request belongs to: see [`Strategy::route`](sessile_core::Strategy::route).
pub(crate) fn route<'a>(signer: &Signer, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
    let foreign = Wire::parse_any(presented.text)
        .filter(|wire| wire.label != signer.node() && wire.label != NOBODY)
        .filter(|wire| signer.verify(wire, presented.carrier, now));
    foreign.map_or(Route::Own, |wire| Route::Foreign(wire.label))
}

#[cfg(test)]
mod tests {
    use Misrouted::{Adopt, Fail, Forward, Lost};

    use super::*;

    #[test]
    fn a_chain_that_says_something_never_heard_is_refused() {
        for good in [
            &[Forward][..],
            &[Adopt],
            &[Fail],
            &[Lost],
            &[Forward, Adopt, Fail],
            &[Forward, Lost],
            &[Adopt, Fail],
        ] {
            let chain = Chain::new(good).unwrap();
            assert_eq!(chain.forwards, good.contains(&Forward));
            assert_eq!(chain.adopts(), good.contains(&Adopt));
        }
        for bad in [
            &[][..],
            &[Adopt, Forward],
            &[Fail, Adopt],
            &[Fail, Fail],
            &[Forward, Forward],
            &[Adopt, Lost],
            &[Lost, Fail],
        ] {
            assert!(Chain::new(bad).is_err(), "{bad:?}");
        }
    }
}
