//! The layer: what the application configures.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Clock, Data, Lifetime, Record, Revocation, Strategy, SystemClock, Writes};
use tower_layer::Layer;

use crate::{Carrier, CookieConfig, Result, SessionService, Sessions, telemetry};

/// Gives every request of a service its session. See the [crate's documentation](crate).
///
/// ```
/// use std::time::Duration;
/// use sessile::{CookieConfig, Lifetime, SessionLayer, Sticky};
///
/// # fn main() -> sessile::Result<()> {
/// let layer = SessionLayer::new(Sticky::new())
///     .cookie(CookieConfig::new().name("__Host-shop").build()?)
///     .lifetime(Lifetime::new(Duration::from_secs(20 * 60), Duration::from_secs(8 * 3600))?);
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionLayer<E = DefaultOnError> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) on_error: E,
}

/// Answers errors with their status and nothing else: the default of
/// [`SessionLayer::on_error`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultOnError;

/// What all services of one layer share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) strategy: Arc<dyn Strategy>,
    pub(crate) cookie: CookieConfig,
    /// How a credential may come; the first is for those who bring none.
    pub(crate) carriers: Box<[Carrier]>,
    pub(crate) lifetime: Lifetime,
    pub(crate) clock: Arc<dyn Clock>,
    /// For how long a commit starts over when others change what its updates had read.
    pub(crate) deadline: Duration,
    pub(crate) max_bytes: usize,
    /// The state travels with the client: what is written needs a new credential.
    pub(crate) travels: bool,
    #[cfg(feature = "forward")]
    pub(crate) peers: Option<crate::Peers>,
    /// Nobody but the client knows that a session has ended: its credential is removed there, and
    /// that is all.
    pub(crate) ends_with_client: bool,
}

impl SessionLayer {
    /// Sessions by this strategy, with the default cookie and lifetime.
    pub fn new(strategy: impl Strategy) -> Self {
        SessionLayer::of(Arc::new(strategy))
    }

    /// The same, of a strategy whose type is not known.
    pub(crate) fn of(strategy: Arc<dyn Strategy>) -> Self {
        let (guarantees, deadline) = (strategy.guarantees(), strategy.deadline());
        SessionLayer {
            shared: Arc::new(Shared {
                strategy,
                cookie: CookieConfig::standard(),
                carriers: [Carrier::Cookie].into(),
                lifetime: Lifetime::default(),
                clock: Arc::new(SystemClock),
                deadline,
                max_bytes: guarantees.max_bytes,
                travels: guarantees.writes == Writes::LastResponseWins,
                #[cfg(feature = "forward")]
                peers: None,
                ends_with_client: guarantees.revocation == Revocation::AtExpiry,
            }),
            on_error: DefaultOnError,
        }
    }
}

impl<E> SessionLayer<E> {
    /// The cookie that carries the credential. Default: `__Host-sid`, for https only.
    #[must_use]
    pub fn cookie(mut self, cookie: CookieConfig) -> Self {
        if cookie.is_insecure_dev() {
            telemetry::insecure_cookie();
        }
        self.shared().cookie = cookie;
        self
    }

    /// How a credential may travel. The answer goes out the way the credential came in, and by the
    /// first of these if none came. A request that brings two is refused with `400`. Default: the
    /// cookie alone, which an empty list means too.
    #[must_use]
    pub fn carriers(mut self, carriers: impl IntoIterator<Item = Carrier>) -> Self {
        let mut list = Vec::new();
        for carrier in carriers {
            if !list.contains(&carrier) {
                list.push(carrier);
            }
        }
        if list.is_empty() {
            list.push(Carrier::Cookie);
        }
        self.shared().carriers = list.into();
        self
    }

    /// How long sessions live, unless they are given a lifetime of their own. Default: 30 minutes
    /// idle, 12 hours absolute.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.shared().lifetime = lifetime;
        self
    }

    /// Where time comes from. Default: the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.shared().clock = Arc::new(clock);
        self
    }

    /// Makes the page for an error of the session, instead of an empty one: given the error and
    /// the head of the response that it replaces. `None` leaves the empty one.
    ///
    /// It is asked for every error that the layer answers, and for every response that carries an
    /// [`Error`](crate::Error) in its extensions, such as a rejection of an extractor.
    /// Whatever it makes is not cached.
    ///
    /// ```
    /// use http::Response;
    /// use sessile::{SessionLayer, Sticky};
    ///
    /// let layer = SessionLayer::new(Sticky::new()).on_error(|error: &sessile::Error, _head: &http::response::Parts| {
    ///     let body = format!("{{\"error\":\"{}\"}}", error.kind());
    ///     Response::builder().status(error.status()).body(body).ok()
    /// });
    /// # let _ = layer;
    /// ```
    pub fn on_error<F>(self, page: F) -> SessionLayer<F> {
        SessionLayer {
            shared: self.shared,
            on_error: page,
        }
    }

    /// The operator's handle on the sessions behind this layer.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.shared.clone())
    }

    pub(crate) fn shared(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }
}

impl Shared {
    /// How many more bytes of value a session with this data has room for in its credential,
    /// negative if it has none; `None` where it is not in there.
    pub(crate) fn room(
        &self,
        carrier: &Carrier,
        record: Option<&Record>,
        subject: Option<&str>,
        data: &Data,
    ) -> Result<Option<isize>> {
        let (name, limit) = (carrier.name(&self.cookie), carrier.room(&self.cookie));
        let room = self.strategy.room(record, subject, data, name, limit);
        Ok(room?)
    }
}

impl<S, E: Clone> Layer<S> for SessionLayer<E> {
    type Service = SessionService<S, E>;

    fn layer(&self, inner: S) -> Self::Service {
        self.shared
            .strategy
            .attach(&self.shared.lifetime, self.shared.clock.now());
        SessionService::new(inner, self.shared.clone(), self.on_error.clone())
    }
}

impl<E> fmt::Debug for SessionLayer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("shared", &self.shared)
            .field("on_error", &"..")
            .finish()
    }
}
