//! What a session layer is told about its peers, and the layer that forwards to them.

use super::{ForwardLayer, Peers};
use crate::SessionLayer;

impl<E> SessionLayer<E> {
    /// Where the other nodes are, for a strategy that forwards:
    /// [`Misrouted::Forward`](crate::Misrouted::Forward). The work is done by the layer that
    /// [`forwarding`](Self::forwarding) gives.
    #[must_use]
    pub fn peers(mut self, peers: Peers) -> Self {
        self.shared().peers = Some(peers);
        self
    }
}

impl<E: Clone> SessionLayer<E> {
    /// The layer that forwards: `None` if the strategy does not forward, or was not told its
    /// [`peers`](Self::peers). It has to be the outermost one, or everything around it does its
    /// work on two nodes; and outside of whatever changes a request's path, which the signature of
    /// a hop covers.
    ///
    /// Take it when everything else is configured, and once: each has its own connections.
    ///
    /// ```
    /// # fn main() -> sessile::Result<()> {
    /// use sessile::{KeyRing, Misrouted, Peers, SessionLayer, Sticky};
    ///
    /// # let ring = KeyRing::random(); // all nodes have the same
    /// let node = Sticky::node("n1").keys(ring).misrouted([Misrouted::Forward]).build()?;
    /// let layer = SessionLayer::new(node).peers(Peers::template("http://{node}.app:8080")?);
    /// let forwarding = layer.forwarding().expect("it has peers and forwards");
    /// # let app: axum::Router = axum::Router::new();
    /// let app = tower::ServiceBuilder::new().layer(forwarding).layer(layer).service(app);
    /// # let _ = app;
    /// # Ok(())
    /// # }
    /// ```
    pub fn forwarding(&self) -> Option<ForwardLayer<E>> {
        let peers = self.shared.peers.as_ref()?;
        let forwards = self.shared.strategy.forwards()?;
        let on_error = self.on_error.clone();
        Some(ForwardLayer::new(forwards, peers, &self.shared, on_error))
    }
}
