//! How a layer forwards, and the layer's own words for it.

use std::sync::Arc;
use std::time::Duration;

use super::{ForwardLayer, Peers, Routing};
use crate::SessionLayer;

/// How requests for the sessions of other nodes are sent on. See
/// [`SessionLayer::forward`].
#[derive(Clone, Debug)]
pub struct Forward {
    pub(super) routing: Arc<dyn Routing>,
    pub(super) peers: Peers,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
}

impl Forward {
    /// To these peers, by the labels that this strategy's credentials carry.
    pub fn new(routing: impl Routing, peers: Peers) -> Self {
        Forward {
            routing: Arc::new(routing),
            peers,
            connect: Duration::from_secs(1),
            answer: Duration::from_secs(30),
        }
    }

    /// How long looking a peer's name up and connecting to it may take. Past it nothing was sent,
    /// and the next answer to a foreign credential counts. Default: 1 second.
    #[must_use]
    pub fn connect_within(mut self, deadline: Duration) -> Self {
        self.connect = deadline;
        self
    }

    /// How long a peer may keep the request waiting: for taking its next piece, and then for the
    /// head of the response; at most twice that while pieces still move. The client's own slowness
    /// does not count, and neither does the body of the response. Past it the client gets `504`.
    /// Default: 30 seconds.
    #[must_use]
    pub fn answer_within(mut self, deadline: Duration) -> Self {
        self.answer = deadline;
        self
    }
}

impl<E> SessionLayer<E> {
    /// Sends requests for the sessions of other nodes on to them; the work is done by the layer
    /// that [`forwarding`](Self::forwarding) gives.
    #[must_use]
    pub fn forward(mut self, forward: Forward) -> Self {
        self.shared().forward = Some(forward);
        self
    }
}

impl<E: Clone> SessionLayer<E> {
    /// The layer that forwards, if forwarding was configured. It has to be the outermost one, or
    /// everything around it does its work on two nodes; and outside of whatever changes a
    /// request's path, which the signature of a hop covers.
    ///
    /// Take it when everything else is configured, and once: each has its own connections.
    pub fn forwarding(&self) -> Option<ForwardLayer<E>> {
        let forward = self.shared.forward.as_ref()?;
        Some(ForwardLayer::new(
            forward,
            &self.shared,
            self.on_error.clone(),
        ))
    }
}
