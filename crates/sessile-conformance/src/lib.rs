#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod depth;
mod law;
mod violation;

mod laws;
mod list;
mod races;
mod run;
mod sample;
mod stage;

mod matrix;

pub mod broken;
mod model;

mod counting;
mod faulty;
mod operation;

pub use counting::CountingStore;
pub use depth::Depth;
pub use faulty::{Fault, FaultyStore};
pub use law::{Factory, Law};
pub use laws::laws;
pub use matrix::Matrix;
pub use model::ModelStore;
pub use operation::Operation;
pub use sessile_core::ManualClock;
pub use violation::Violation;

/// What the macros expand to; no interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::run::test;
}
