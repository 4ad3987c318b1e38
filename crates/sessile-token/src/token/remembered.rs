//! Tokens that were verified a moment ago: whoever presents one again is spared the work.
//!
//! Only what was good is remembered, and only that it was signed or sealed, and what it says. All
//! that may change is asked anew with every request: the clock, the keys, revocations. So it shows
//! in nothing but the time that it takes, and what is forgotten is verified again.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use sessile_core::{Presented, Record, Timestamp};

use crate::claims::Terms;

/// What a token says whose signature or seal was good.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) terms: Terms,
    /// The session that it holds. Shared with those who use it; its last use is of a moment ago.
    pub(super) record: Arc<Record>,
    /// The ring whose key verified it, and until when that key does.
    pub(super) edition: u64,
    pub(super) retired_at: Option<Timestamp>,
}

/// About as many as there is room for; those stay that are presented again and again.
pub(super) struct Remembered(Cache<Known, Verified>);

impl Remembered {
    pub(super) fn new(tokens: usize) -> Self {
        Remembered(Cache::new(tokens))
    }

    /// What this token says, if the ring is still that one and its key would verify it at `now`.
    pub(super) fn get(
        &self,
        presented: &Presented<'_>,
        edition: u64,
        now: Timestamp,
    ) -> Option<Verified> {
        let verified = self.0.get(&Asked::from(presented))?;
        let holds = verified.edition == edition && verified.retired_at.is_none_or(|at| now < at);
        holds.then_some(verified)
    }

    pub(super) fn put(&self, presented: &Presented<'_>, verified: Verified) {
        let known = Known {
            text: presented.text.into(),
            carrier: presented.carrier.into(),
        };
        self.0.insert(known, verified);
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered")
            .field("tokens", &self.0.len())
            .field("most", &self.0.capacity())
            .finish()
    }
}

/// A token, and what it came in: a sealed one opens under no other name.
struct Known {
    text: Box<[u8]>,
    carrier: Box<str>,
}

/// One that is presented.
struct Asked<'a> {
    text: &'a [u8],
    carrier: &'a str,
}

/// The last so many characters are compared without telling by the time where they differ: a whole
/// tag of HMAC-SHA-256, more than one of GCM, and of longer signatures too much to be guessed.
const TAG: usize = 43;

impl Hash for Asked<'_> {
    /// The end of a tag is as good as random, and nobody can choose it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let last = self.text.last_chunk().copied().unwrap_or_default();
        state.write_u64(u64::from_ne_bytes(last));
    }
}

impl Equivalent<Known> for Asked<'_> {
    fn equivalent(&self, known: &Known) -> bool {
        let halves = (self.text.split_last_chunk(), known.text.split_last_chunk());
        let (Some((asked, tag)), Some((text, known_tag))) = halves else {
            return false;
        };
        is_same_tag(tag, known_tag) && asked == text && *self.carrier == *known.carrier
    }
}

fn is_same_tag(a: &[u8; TAG], b: &[u8; TAG]) -> bool {
    let differ = a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b));
    // Nobody is to know here that one bit would be enough.
    black_box(differ) == 0
}

impl<'a> From<&'a Known> for Asked<'a> {
    fn from(known: &'a Known) -> Self {
        Asked {
            text: &known.text,
            carrier: &known.carrier,
        }
    }
}

impl<'a> From<&Presented<'a>> for Asked<'a> {
    fn from(presented: &Presented<'a>) -> Self {
        Asked {
            text: presented.text,
            carrier: presented.carrier,
        }
    }
}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked::from(self).hash(state);
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        Asked::from(self).equivalent(other)
    }
}

impl Eq for Known {}
