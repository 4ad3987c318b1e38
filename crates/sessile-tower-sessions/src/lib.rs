#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a version there is nobody to call what both have in common.
#![cfg_attr(
    not(any(feature = "v0_14", feature = "v0_15")),
    allow(dead_code, unused_imports)
)]

mod instant;
mod theirs;
mod versions;

mod adapter;
mod kept;
mod sessions;
mod turns;

mod bridged;
mod derived;

pub use adapter::TowerSessionsStore;
pub use bridged::Bridged;
pub use theirs::TowerSessions;
#[cfg(feature = "v0_14")]
pub use versions::V0_14;
#[cfg(feature = "v0_15")]
pub use versions::V0_15;
