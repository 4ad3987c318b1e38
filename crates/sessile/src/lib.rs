//! HTTP sessions for axum, hyper and any tower service.
//!
//! ```
//! use axum::{Router, routing::get};
//! use sessile::{Session, SessionLayer, Sticky};
//!
//! async fn visits(session: Session) -> sessile::Result<String> {
//!     let visits = session.update_now("visits", |n: &mut u64| { *n += 1; *n }).await?;
//!     Ok(format!("visit {visits}")) // exact, however many requests come at once
//! }
//!
//! let app: Router = Router::new()
//!     .route("/", get(visits))
//!     .layer(SessionLayer::new(Sticky::new()));
//! ```
//!
//! [`guide::getting_started`] says the rest; start there.
//!
//! # Where things are
//!
//! In the order in which a request meets them: [`SessionLayer`] wraps a service in a
//! [`SessionService`], which reads the credential by its [`Carrier`], mostly a cookie
//! ([`CookieConfig`]), and puts a [`LazySession`] into the request's extensions. A handler that
//! wants it gets a [`Session`], by an extractor or by [`LazySession::load`]. On the way out
//! [`ResponseFuture`] commits what was done and writes the credential. Where sessions live is the
//! strategy's matter: [`Sticky`], `Stored` or `Token`. [`Sessions`] is the operator's handle,
//! [`guide`] the documentation by topic.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `axum` | yes | extractors and rejections for axum |
//! | `config` | yes | [`SessionConfig`]: the layer from a file |
//! | `forward` | no | [`ForwardLayer`]: requests for sessions of other nodes are sent on to them |
//! | `redis`, `postgres`, `mysql`, `sqlite` | no | stores for [`Stored`]: `RedisStore`, `PostgresStore`, `MySqlStore`, `SqliteStore` |
//! | `tls` | no | TLS to them |
//! | `stored` | yes | [`Stored`]: sessions in a store; a store behind a [`Sticky`] node; [`Sweeper`] |
//! | `token` | no | sessions in a token that the client holds, `Token` |
//! | `jwks` | no | the public keys of signed tokens over HTTP |
//! | `tracing` | yes | events of what a service's owner should know |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "forward")]
mod forward;

mod layer;
mod service;

mod carrier;
mod cookie;
mod handle;
mod lazy;

mod key;
mod session;
mod typed;

mod draft;

mod commit;
mod future;
mod outcome;

#[cfg(feature = "stored")]
mod stored;

#[cfg(feature = "stored")]
mod migrate;

#[cfg(feature = "config")]
mod config;
#[cfg(feature = "token")]
mod refresh;

mod sessions;
#[cfg(feature = "stored")]
mod sweeper;

mod error;
mod telemetry;

#[cfg(feature = "axum")]
mod extract;

pub mod guide;

pub use carrier::{Carrier, SessionHeader};
#[cfg(feature = "config")]
pub use config::{ConfigError, Problem, Registry, SessionConfig};
pub use cookie::{Checked, CookieConfig, SameSite, Unchecked};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "forward")]
pub use forward::{ForwardBody, ForwardFuture, ForwardLayer, ForwardService, Peers};
pub use future::ResponseFuture;
pub use key::{AsKey, Key, KeyName};
pub use layer::{DefaultOnError, SessionLayer};
pub use lazy::LazySession;
#[cfg(feature = "stored")]
pub use migrate::{Migration, Phase};
pub use outcome::OnError;
pub use service::SessionService;
pub use session::Session;
pub use sessions::{SessionInfo, Sessions};
#[cfg(feature = "stored")]
pub use stored::{ErrorPolicy, Stored, connect};
#[cfg(feature = "stored")]
pub use sweeper::Sweeper;
pub use typed::{SessionValue, Typed};

/// What a store or a strategy is made of: for those who bring their own.
pub use sessile_core as core;
pub use sessile_core::{
    Arrival, Clock, Durability, Guarantees, KeyRing, Lifetime, ManualClock, MasterKey, OnFull,
    OnReuse, Revocation, Scope, SessionId, Store, Strategy, SubjectCap, SystemClock, Timestamp,
    Writes,
};
#[cfg(feature = "stored")]
pub use sessile_memory::BackedSticky;
pub use sessile_memory::{
    Capacity, MemoryStore, Misrouted, Sticky, StickyBuilder, StickyNode, Table,
};
#[cfg(feature = "redis")]
pub use sessile_redis::{RedisStore, RedisStoreBuilder};
#[cfg(feature = "mysql")]
pub use sessile_sql::MySqlStore;
#[cfg(feature = "postgres")]
pub use sessile_sql::PostgresStore;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use sessile_sql::SqlOptions;
#[cfg(feature = "sqlite")]
pub use sessile_sql::SqliteStore;
#[cfg(feature = "jwks")]
pub use sessile_token::JwksService;
#[cfg(feature = "token")]
pub use sessile_token::{
    Algorithm, HmacKey, KeySource, LiveKeys, PrivateKey, PublicKey, Redeemed, Refresh, Renewed,
    SealingKey, SealingKeys, SigningKey, Token, TokenBuilder, TokenKeys, VerifyingKey, WhenAway,
};
