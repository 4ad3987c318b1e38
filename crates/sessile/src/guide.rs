//! The documentation by topic.
//!
//! Every page's examples are compiled and run with the tests.

#[doc = include_str!("../docs/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("../docs/updates.md")]
pub mod updates {}

#[doc = include_str!("../docs/login.md")]
pub mod login {}

#[doc = include_str!("../docs/cookies.md")]
pub mod cookies {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/lifetime.md")]
pub mod lifetime {}

#[doc = include_str!("../docs/memory.md")]
pub mod memory {}

#[cfg(feature = "stored")]
#[doc = include_str!("../docs/nodes.md")]
pub mod nodes {}

#[cfg(feature = "stored")]
#[doc = include_str!("../docs/stored.md")]
pub mod stored {}

#[cfg(feature = "stored")]
#[doc = include_str!("../docs/own-store.md")]
pub mod own_store {}

#[cfg(feature = "stored")]
#[doc = include_str!("../docs/migration.md")]
pub mod migration {}

#[cfg(feature = "stored")]
#[doc = include_str!("../docs/from-tower-sessions.md")]
pub mod from_tower_sessions {}

#[cfg(all(feature = "jwks", feature = "stored"))]
#[doc = include_str!("../docs/token.md")]
pub mod token {}

#[doc = include_str!("../docs/carriers.md")]
pub mod carriers {}

#[doc = include_str!("../docs/hyper.md")]
pub mod hyper {}

#[cfg(feature = "config")]
#[doc = include_str!("../docs/config.md")]
pub mod config {}
