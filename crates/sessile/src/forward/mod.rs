//! Forwarding: a request that came to the wrong node makes one hop to the node that has its
//! session.
//!
//! Its own layer, and the outermost one: it alone looks at every request's label. What it sends on
//! streams both ways, and the local session layer never hears of it. What it cannot send on, it
//! hands inwards, where the strategy's next answer to a foreign credential counts.

mod config;
mod peers;

mod layer;
mod service;

mod hop;
mod route;

mod client;
mod head;
mod parcel;
mod upgrade;

mod body;
mod future;

pub use body::ForwardBody;
pub use future::ForwardFuture;
pub use layer::ForwardLayer;
pub use peers::Peers;
pub use service::ForwardService;

/// Any error.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
