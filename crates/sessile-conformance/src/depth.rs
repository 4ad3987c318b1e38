//! How much of a law of races is tried.

/// How much of a law of races is tried: how many schedules, and how many calls at once. The other
/// laws are the same at every depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Depth {
    /// Every schedule of two requests.
    Quick,
    /// Every schedule of two requests, and of the sets of three in which most is at stake: a minute
    /// on a server that answers in a millisecond.
    #[default]
    Standard,
    /// Every schedule of two and of three requests: for a store in memory, or for a night.
    Full,
}

impl Depth {
    /// What the environment variable `SESSILE_LAWS` asks for: `quick`, `standard` or `full`.
    /// Anything else, and nothing, is [`Standard`](Depth::Standard).
    pub fn from_env() -> Self {
        Depth::asked_for().unwrap_or_default()
    }

    /// What the environment asks for, if it does.
    pub(crate) fn asked_for() -> Option<Self> {
        match std::env::var("SESSILE_LAWS").ok()?.as_str() {
            "quick" => Some(Depth::Quick),
            "standard" => Some(Depth::Standard),
            "full" => Some(Depth::Full),
            _ => None,
        }
    }
}
