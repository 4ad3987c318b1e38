//! The layer that forwards.

use std::fmt;
use std::sync::Arc;

use sessile_core::Forwards;
use tower_layer::Layer;

use super::client::Client;
use super::route::Route;
use super::{ForwardService, Peers};
use crate::layer::{DefaultOnError, Shared};

/// Sends requests for the sessions of other nodes on to them. Made by
/// [`SessionLayer::forwarding`](crate::SessionLayer::forwarding).
#[derive(Clone)]
pub struct ForwardLayer<E = DefaultOnError> {
    road: Arc<Road>,
    on_error: E,
}

/// What all services of one layer share: where a request belongs, and how it gets there.
#[derive(Debug)]
pub(super) struct Road {
    pub(super) route: Route,
    pub(super) client: Client,
}

impl<E> ForwardLayer<E> {
    pub(super) fn new(forwards: Forwards<'_>, peers: &Peers, shared: &Shared, on_error: E) -> Self {
        let road = Road {
            route: Route::new(forwards, peers, shared),
            client: Client::new(peers.connect, peers.answer),
        };
        ForwardLayer {
            road: Arc::new(road),
            on_error,
        }
    }
}

impl<S, E: Clone> Layer<S> for ForwardLayer<E> {
    type Service = ForwardService<S, E>;

    fn layer(&self, inner: S) -> Self::Service {
        ForwardService::new(inner, self.road.clone(), self.on_error.clone())
    }
}

impl<E> fmt::Debug for ForwardLayer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardLayer")
            .field("road", &self.road)
            .field("on_error", &"..")
            .finish()
    }
}
