//! The workloads, and the request that each of them sends.

use http::{HeaderValue, Request, Uri, header::COOKIE};

/// The handler does not touch the session.
pub const IGNORE: &str = "/ignore";
/// The handler reads the key `n`.
pub const READ: &str = "/read";
/// The handler reads `n` and writes back one more.
pub const COUNT: &str = "/count";
/// The handler sets `n` to 1.
pub const INSERT: &str = "/insert";
/// The handler signs in the user named by the query and sets three small keys: the session that the measured
/// clients have, and that `memory` makes a million of.
pub const SIGN_IN: &str = "/sign-in";

/// The keys of a signed-in session beside its user; `n` is 1.
pub const THEME: &str = "dark";
pub const CART: [u32; 3] = [1, 2, 3];

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// No cookie, session ignored.
    W0,
    /// Valid cookie, session ignored.
    W1,
    /// Valid cookie, one key read.
    W2,
    /// Valid cookie, a counter read and written.
    W3,
    /// No cookie, one key inserted, cookie set.
    W4,
    /// Forged but well-shaped cookie, one key read.
    W5f,
    /// Garbage for a cookie, one key read.
    W5g,
}

impl Workload {
    pub const ALL: [Self; 7] = [
        Self::W0,
        Self::W1,
        Self::W2,
        Self::W3,
        Self::W4,
        Self::W5f,
        Self::W5g,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::W0 => "W0",
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
            Self::W5f => "W5f",
            Self::W5g => "W5g",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
    }

    /// The request of this workload, by a client that holds `cookie` (`name=value`) of a signed-in session.
    pub fn recipe(self, cookie: &str) -> Recipe {
        match self {
            Self::W0 => Recipe::new(IGNORE, None),
            Self::W1 => Recipe::new(IGNORE, Some(cookie)),
            Self::W2 => Recipe::new(READ, Some(cookie)),
            Self::W3 => Recipe::new(COUNT, Some(cookie)),
            Self::W4 => Recipe::new(INSERT, None),
            Self::W5f => Recipe::new(READ, Some(&forged(cookie))),
            Self::W5g => Recipe::new(READ, Some(&garbage(cookie))),
        }
    }
}

/// A request that can be built any number of times at the same small price.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub uri: Uri,
    pub cookie: Option<HeaderValue>,
}

impl Recipe {
    pub fn new(path_and_query: &str, cookie: Option<&str>) -> Self {
        Self {
            uri: path_and_query.parse().expect("a path"),
            cookie: cookie.map(|pair| pair.parse().expect("a cookie")),
        }
    }

    pub fn request<B: Default>(&self) -> Request<B> {
        let mut request = Request::new(B::default());
        *request.uri_mut() = self.uri.clone();
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        request
    }
}

/// The same shape, another value: one letter near the front is exchanged, so that it still decodes, while an
/// identifier is unknown, and a signature that stands in front of its value does not verify.
fn forged(cookie: &str) -> String {
    let (name, value) = split(cookie);
    let mut bytes = value.as_bytes().to_vec();
    let is_escape = |at: usize| value.as_bytes()[at.saturating_sub(2)..at].contains(&b'%');
    let at = (value.len() / 8..value.len())
        .find(|&at| bytes[at].is_ascii_alphabetic() && !is_escape(at))
        .expect("a cookie value with a letter in it");
    bytes[at] = if bytes[at] == b'k' { b'q' } else { b'k' };
    let value = String::from_utf8(bytes).expect("one ASCII letter for another");
    format!("{name}={value}")
}

fn garbage(cookie: &str) -> String {
    let (name, _) = split(cookie);
    format!("{name}=not-a-session")
}

fn split(cookie: &str) -> (&str, &str) {
    cookie.split_once('=').expect("name=value")
}
