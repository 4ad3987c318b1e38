//! The public keys over HTTP (RFC 7517, section 5).

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use sessile_core::{Clock, SystemClock};
use sha2::{Digest as _, Sha256};
use tower_service::Service;

use crate::base64;
use crate::keys::{LiveKeys, PublicKey, TokenKeys};

/// Answers `GET` with the public keys of a ring as a JWK set, mostly under
/// `/.well-known/jwks.json`: those that verify, and those that will sign some day. Secrets are
/// never among them; a ring of secrets gives an empty set.
///
/// Any body that is made from [`Bytes`] will do, such as axum's:
///
/// ```
/// use bytes::Bytes;
/// use sessile_token::{Algorithm, HmacKey, JwksService, TokenKeys};
/// # let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
///
/// let keys = TokenKeys::new(HmacKey::new(Algorithm::HS256, secret)?);
/// let service: JwksService<Bytes> = JwksService::new(keys);
/// # Ok::<(), sessile_core::Error>(())
/// ```
pub struct JwksService<B> {
    keys: LiveKeys<TokenKeys>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    body: PhantomData<fn() -> B>,
}

impl<B> JwksService<B> {
    /// Serves the public keys of this ring, as it is at each request.
    pub fn new(keys: impl Into<LiveKeys<TokenKeys>>) -> Self {
        JwksService {
            keys: keys.into(),
            clock: Arc::new(SystemClock),
            max_age: Duration::from_secs(300),
            body: PhantomData,
        }
    }

    /// For how long others may keep the set. Default: 5 minutes. A new key has to be published for
    /// longer than that before it signs.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Where time comes from. Default: the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn answer(&self, method: &Method, headers: &HeaderMap) -> Response<B>
    where
        B: From<Bytes>,
    {
        let mut response = Response::new(B::from(Bytes::new()));
        if !matches!(*method, Method::GET | Method::HEAD) {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        let ring = self.keys.current();
        let keys: Vec<_> = ring
            .public(self.clock.now())
            .map(PublicKey::to_jwk)
            .collect();
        let set = format!("{{\"keys\":[{}]}}", keys.join(","));
        let tag = format!("\"{}\"", base64::encode(Sha256::digest(&set)));
        let age = format!("public, max-age={}", self.max_age.as_secs());

        let is_known = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|line| matches(line, &tag));
        for (name, value) in [(ETAG, tag), (CACHE_CONTROL, age)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let json = HeaderValue::from_static("application/jwk-set+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        if *method == Method::GET {
            *response.body_mut() = B::from(Bytes::from(set));
        }
        response
    }
}

/// Whether the line names this tag, weakly or not, or any (RFC 9110, section 13.1.2).
fn matches(line: &HeaderValue, tag: &str) -> bool {
    line.as_bytes().split(|byte| *byte == b',').any(|part| {
        let part = part.trim_ascii();
        part == b"*" || part.strip_prefix(b"W/").unwrap_or(part) == tag.as_bytes()
    })
}

impl<B, ReqBody> Service<Request<ReqBody>> for JwksService<B>
where
    B: From<Bytes>,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ready(Ok(self.answer(request.method(), request.headers())))
    }
}

impl<B> Clone for JwksService<B> {
    fn clone(&self) -> Self {
        JwksService {
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            max_age: self.max_age,
            body: PhantomData,
        }
    }
}

impl<B> fmt::Debug for JwksService<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksService")
            .field("keys", &self.keys)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
