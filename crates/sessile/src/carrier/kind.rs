//! The carriers that a layer can be told to use.

use std::fmt;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use crate::{CookieConfig, Error, ErrorKind, Result};

/// How a credential travels. The answer goes out the way the credential came in.
///
/// ```
/// use sessile::{Carrier, SessionLayer, Sticky};
///
/// // Browsers and programs on one router.
/// let layer = SessionLayer::new(Sticky::new()).carriers([Carrier::Cookie, Carrier::Bearer]);
/// # let _ = layer;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Carrier {
    /// The layer's cookie.
    Cookie,
    /// `Authorization: Bearer` (RFC 6750, section 2.1). A new credential comes back in the
    /// response header `Session-Token`, which is empty after a logout.
    Bearer,
    /// A request header of this name, and the response header of the same name.
    Header(SessionHeader),
}

/// The name of a header that carries nothing but credentials: from [`Carrier::header`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHeader(HeaderName);

/// What stands in requests or responses already, or steers what is between a client and its
/// server: by its beginning.
const TAKEN_FAMILIES: [&str; 8] = [
    "accept",
    "access-control-",
    "content-",
    "cross-origin-",
    "if-",
    "proxy-",
    "sec-",
    "x-forwarded-",
];

/// The others, by name.
const TAKEN: [&str; 45] = [
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-control",
    "cdn-cache-control",
    "clear-site-data",
    "connection",
    "cookie",
    "cookie2",
    "date",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "permissions-policy",
    "pragma",
    "priority",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "session-token",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

impl Carrier {
    /// A header of this name, such as `X-Session`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for what is no header's name, or one that means something else.
    pub fn header(name: &str) -> Result<Self> {
        let invalid = |why: &str| {
            let message = format!("{name:?} {why}: write one of your own, such as \"X-Session\"");
            Error::new(ErrorKind::Invalid, message)
        };
        let header = HeaderName::try_from(name).map_err(|_| invalid("is no header's name"))?;
        let is_taken = |family: &&str| header.as_str().starts_with(family);
        if TAKEN.contains(&header.as_str()) || TAKEN_FAMILIES.iter().any(is_taken) {
            return Err(invalid("means something else"));
        }
        Ok(Carrier::Header(SessionHeader(header)))
    }

    /// The name that a credential is bound to: it does not move from one carrier to another.
    pub(crate) fn name<'a>(&'a self, cookie: &'a CookieConfig) -> &'a str {
        match self {
            Carrier::Cookie => cookie.as_name(),
            Carrier::Bearer => AUTHORIZATION.as_str(),
            Carrier::Header(header) => header.name().as_str(),
        }
    }

    /// How long a credential may be: what browsers keep of a cookie, or half of what most servers
    /// take as a header.
    pub(crate) fn room(&self, cookie: &CookieConfig) -> usize {
        match self {
            Carrier::Cookie => crate::cookie::room(cookie),
            Carrier::Bearer | Carrier::Header(_) => 8192,
        }
    }

    /// The request header that a response then depends on.
    pub(crate) fn request_header(&self) -> HeaderName {
        match self {
            Carrier::Cookie => COOKIE,
            Carrier::Bearer => AUTHORIZATION,
            Carrier::Header(header) => header.name().clone(),
        }
    }
}

impl SessionHeader {
    /// The header's name, in lower case.
    pub fn name(&self) -> &HeaderName {
        &self.0
    }
}

impl fmt::Debug for Carrier {
    /// As it stands in a configuration: `cookie`, `bearer`, `header:x-session`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Carrier::Cookie => f.write_str("cookie"),
            Carrier::Bearer => f.write_str("bearer"),
            Carrier::Header(header) => write!(f, "header:{}", header.name()),
        }
    }
}
