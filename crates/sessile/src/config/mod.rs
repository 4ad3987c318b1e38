//! The layer from a file: one word says where sessions live.
//!
//! [`Value`](value::Value) is what a loader gave. [`document`] describes every key, in the language
//! of [`shape`]; [`examine`] holds the one against the other, and [`Settings`](settings::Settings)
//! are what it comes to, read from the result section by section. `build` makes the layer, of the
//! strategy that [`strategies`] makes.

mod problem;
mod registry;
mod session_config;

mod document;
mod forms;
mod shape;

mod examine;
mod schema;
mod value;

mod duration;
mod near;
mod secret;
mod url;

mod fields;
mod sections;
mod settings;

mod build;
mod jose;
mod promised;
mod strategies;

pub use problem::{ConfigError, Problem};
pub use registry::Registry;
pub use session_config::SessionConfig;
