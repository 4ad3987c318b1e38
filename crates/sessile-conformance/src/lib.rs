//! The laws of a session store, one test each, for the stores of sessile and for yours.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod depth;
mod law;
mod violation;

mod laws;
mod list;
mod races;
mod stage;

mod model;

pub mod broken;

pub use depth::Depth;
pub use law::{Factory, Law};
pub use laws::laws;
pub use model::ModelStore;
pub use sessile_core::ManualClock;
pub use violation::Violation;

mod run;

/// What the macros expand to; no interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::run::test;
}
