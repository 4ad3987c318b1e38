//! `[require]`: what has to be promised.

use std::time::Duration;

use crate::config::duration;
use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::{Durability, Guarantees, Revocation, Scope, Writes};

#[derive(Clone, Debug)]
pub(in crate::config) struct Require {
    revocation: Option<Revocation>,
    writes: Option<Writes>,
    scope: Option<Scope>,
    durability: Option<Durability>,
    any_node: bool,
}

impl Require {
    pub(in crate::config) fn read(table: &Fields<'_>) -> Self {
        let word = |key| table.at(key).text();
        Require {
            revocation: word("revocation").map(|text| match text {
                "immediate" => Revocation::Immediate,
                "at_expiry" => Revocation::AtExpiry,
                bound => Revocation::Within(duration::parse(bound).unwrap_or_default()),
            }),
            writes: word("writes").map(|text| match text {
                "merged" => Writes::Merged,
                _ => Writes::LastResponseWins,
            }),
            scope: word("scope").map(|text| match text {
                "all_nodes" => Scope::AllNodes,
                _ => Scope::ThisNode,
            }),
            durability: word("durability").map(|text| match text {
                "acknowledged" => Durability::Acknowledged,
                "async" => Durability::Async,
                _ => Durability::Volatile,
            }),
            any_node: table.at("any_node").flag().unwrap_or(false),
        }
    }

    /// Every requirement that is not met, with what is promised instead.
    pub(in crate::config) fn check(&self, promised: &Guarantees, problems: &mut Problems) {
        let mut refuse = |key: &str, promised: &str, instead: &str| {
            let message = format!(
                "is more than this configuration promises, which is {promised}: {instead}, or require less"
            );
            problems.add(&format!("require.{key}"), message);
        };
        if self
            .revocation
            .is_some_and(|needed| bound(promised.revocation) > bound(needed))
        {
            refuse(
                "revocation",
                &shown(promised.revocation),
                "use the strategy \"stored\", or write a token.revocation or a sticky.revalidate that is fast enough",
            );
        }
        if self.writes == Some(Writes::Merged) && promised.writes != Writes::Merged {
            refuse(
                "writes",
                &format!("\"{}\"", promised.writes),
                "use the strategy \"stored\" or \"sticky\"",
            );
        }
        if self.scope == Some(Scope::AllNodes) && promised.scope != Scope::AllNodes {
            refuse("scope", &format!("\"{}\"", promised.scope), SHARED);
        }
        if self
            .durability
            .is_some_and(|needed| rank(promised.durability) < rank(needed))
        {
            refuse(
                "durability",
                &format!("\"{}\"", promised.durability),
                SHARED,
            );
        }
        if self.any_node && !promised.any_node {
            refuse("any_node", "false", SHARED);
        }
    }
}

const SHARED: &str = "use the strategy \"stored\" with a store that promises it";

/// The longest that a revoked session can be used. What is not known yet promises nothing.
fn bound(revocation: Revocation) -> Duration {
    match revocation {
        Revocation::Immediate => Duration::ZERO,
        Revocation::Within(bound) => bound,
        _ => Duration::MAX,
    }
}

fn shown(revocation: Revocation) -> String {
    match revocation {
        Revocation::Within(bound) => format!("\"{}\"", duration::show(bound)),
        other => format!("\"{other}\""),
    }
}

fn rank(durability: Durability) -> u8 {
    match durability {
        Durability::Acknowledged => 2,
        Durability::Async => 1,
        _ => 0,
    }
}
