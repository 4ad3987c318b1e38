//! The contestants, each in its own file behind one small trait, and the list of them.

mod on_tower;

mod bare_actix;
mod bare_axum;
mod bare_poem;
pub mod bare_tower;
mod floor;

mod actix_signed_cookie;
mod poem;
pub mod sessile;
mod sessile_axum;
mod sessile_token;
mod signed_jar;
pub mod tower_sessions;
mod tower_sessions_axum;
mod tower_sessions_signed;

pub use on_tower::serve;
use poem::{memory as poem_memory, signed_cookie as poem_signed};
use sessile_token::{sealed, sealed_anew, signed, signed_anew};

use std::{future::Future, hint::black_box, pin::Pin};

use crate::{seen, workload::Recipe};

/// Something that answers requests.
pub trait Contestant: 'static {
    type Response: Reply;

    /// Builds the request, has it answered, and returns the response. Bare frameworks do the same, so that the
    /// price of building requests cancels.
    fn call(&mut self, recipe: &Recipe) -> impl Future<Output = Self::Response>;
}

/// What is looked at in a response, whichever framework made it.
pub trait Reply {
    fn status(&self) -> u16;
    fn set_cookie(&self) -> Option<&str>;
}

type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A [`Contestant`] behind a pointer. Boxing happens once per batch, not per request.
pub trait Bench {
    fn ask<'a>(&'a mut self, recipe: &'a Recipe) -> LocalFuture<'a, Answer>;

    /// Sends the request again and again, and calls `after_each` when its response has been dropped.
    fn repeat<'a>(
        &'a mut self,
        recipe: &'a Recipe,
        times: u32,
        after_each: &'a mut dyn FnMut(),
    ) -> LocalFuture<'a, ()>;
}

impl<C: Contestant> Bench for C {
    fn ask<'a>(&'a mut self, recipe: &'a Recipe) -> LocalFuture<'a, Answer> {
        Box::pin(async {
            seen::take();
            let response = self.call(recipe).await;
            Answer {
                status: response.status(),
                cookie: response.set_cookie().map(|header| pair(header).to_owned()),
                seen: seen::take(),
            }
        })
    }

    fn repeat<'a>(
        &'a mut self,
        recipe: &'a Recipe,
        times: u32,
        after_each: &'a mut dyn FnMut(),
    ) -> LocalFuture<'a, ()> {
        Box::pin(async move {
            for _ in 0..times {
                black_box(self.call(recipe).await);
                after_each();
            }
        })
    }
}

/// The `name=value` of a `Set-Cookie` header.
pub fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap_or(set_cookie)
}

/// What came back, as far as [`crate::verify`] is concerned.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The `name=value` of `Set-Cookie`.
    pub cookie: Option<String>,
    /// What the handler found under `n`, when it looked.
    pub seen: Option<Option<u64>>,
}

/// The framework that a contestant runs on: costs are over the bare one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tower,
    Axum,
    Poem,
    Actix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Bare,
    /// No sessions, but the least that a layer of this shape costs.
    Floor,
    Ours,
    Peer,
}

/// One line of the list.
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    pub role: Role,
    start: fn() -> LocalFuture<'static, Box<dyn Bench>>,
}

impl Entry {
    /// A fresh contestant. Needs a runtime around it.
    pub async fn start(&self) -> Box<dyn Bench> {
        (self.start)().await
    }

    pub fn named(name: &str) -> &'static Self {
        ALL.iter()
            .find(|entry| entry.name == name)
            .expect("a contestant of that name")
    }

    /// The bare framework that this one's cost is over.
    pub fn bare(&self) -> &'static Self {
        ALL.iter()
            .find(|entry| entry.role == Role::Bare && entry.kind == self.kind)
            .expect("every kind has a bare framework")
    }
}

pub const SESSILE: &str = "sessile, on tower";
pub const SIGNED: &str = "sessile, signed token, on tower";
pub const SEALED: &str = "sessile, sealed token, on tower";
pub const SIGNED_ANEW: &str = "sessile, signed token, none remembered";
pub const SEALED_ANEW: &str = "sessile, sealed token, none remembered";
pub const ACTIX_SIGNED: &str = "actix-session cookie, signed";
/// Peers whose sessions are in a signed cookie.
pub const SIGNED_PEERS: [&str; 3] = [ACTIX_SIGNED, POEM_SIGNED, "by hand: axum-extra signed jar"];
const POEM_SIGNED: &str = "poem cookie session, signed";
pub const TOWER_SESSIONS: &str = "tower-sessions memory, on tower";
pub const POEM: &str = "poem server session, memory";

macro_rules! entry {
    ($name:expr, $kind:ident, $role:ident, $module:ident) => {
        Entry {
            name: $name,
            kind: Kind::$kind,
            role: Role::$role,
            start: || Box::pin(async { Box::new($module::start().await) as Box<dyn Bench> }),
        }
    };
}

pub static ALL: [Entry; 18] = [
    entry!("bare tower service", Tower, Bare, bare_tower),
    entry!("bare axum router", Axum, Bare, bare_axum),
    entry!("bare poem endpoint", Poem, Bare, bare_poem),
    entry!("bare actix app", Actix, Bare, bare_actix),
    entry!("floor: an Arc put into the extensions", Tower, Floor, floor),
    entry!(SESSILE, Tower, Ours, sessile),
    entry!("sessile, on axum", Axum, Ours, sessile_axum),
    entry!(SIGNED, Tower, Ours, signed),
    entry!(SEALED, Tower, Ours, sealed),
    entry!(SIGNED_ANEW, Tower, Ours, signed_anew),
    entry!(SEALED_ANEW, Tower, Ours, sealed_anew),
    entry!(TOWER_SESSIONS, Tower, Peer, tower_sessions),
    entry!(
        "tower-sessions memory, on axum",
        Axum,
        Peer,
        tower_sessions_axum
    ),
    entry!(
        "tower-sessions memory, signed cookie, on tower",
        Tower,
        Peer,
        tower_sessions_signed
    ),
    entry!(POEM, Poem, Peer, poem_memory),
    entry!(POEM_SIGNED, Poem, Peer, poem_signed),
    entry!(ACTIX_SIGNED, Actix, Peer, actix_signed_cookie),
    entry!("by hand: axum-extra signed jar", Axum, Peer, signed_jar),
];
