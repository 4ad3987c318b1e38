//! Nodes, each a server on a port of its own until the runtime ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next as Handler;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use sessile::{ForwardLayer, Peers, SessionLayer, Sticky};
use tokio::net::TcpListener;
use tower::{Layer as _, Service};

use crate::labelled::{Labelled, Next};

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) labelled: Labelled,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Node {
    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many requests its own application has seen.
    pub(crate) fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }
}

/// What the nodes of a test have in common.
pub(crate) struct Plan {
    pub(crate) next: Next,
    pub(crate) app: fn(&'static str) -> Router,
    /// Beside the nodes themselves.
    pub(crate) also: Vec<(&'static str, SocketAddr)>,
    pub(crate) set: fn(Peers) -> Peers,
}

impl Plan {
    pub(crate) fn new(app: fn(&'static str) -> Router) -> Self {
        Plan {
            next: Next::Fail,
            app,
            also: Vec::new(),
            set: |peers| peers,
        }
    }

    /// Starts `n1` and `n2`.
    pub(crate) async fn two(self) -> [Node; 2] {
        let listeners = [listener().await, listener().await];
        let [one, two] = [&listeners[0], &listeners[1]].map(|l| l.local_addr().unwrap());
        let mut table = vec![("n1", one), ("n2", two)];
        table.extend(&self.also);
        let memory = Arc::new(Sticky::new());
        let [one, two] = listeners;
        [
            self.start("n1", one, &table, &memory),
            self.start("n2", two, &table, &memory),
        ]
    }

    /// Starts `n1` alone.
    pub(crate) async fn one(self) -> Node {
        self.on("n1", listener().await)
    }

    /// Starts this one alone.
    pub(crate) fn on(self, node: &'static str, listener: TcpListener) -> Node {
        self.start(node, listener, &self.also, &Arc::new(Sticky::new()))
    }

    fn start(
        &self,
        node: &'static str,
        listener: TcpListener,
        table: &[(&str, SocketAddr)],
        memory: &Arc<Sticky>,
    ) -> Node {
        let labelled = Labelled::new(node, memory.clone(), self.next);
        let (session, forward) = layers(&labelled, table, self.set);
        let counts = Arc::new(Counts::default());
        let app = (self.app)(node).layer(axum::middleware::from_fn_with_state(
            counts.clone(),
            count_request,
        ));
        let address = listener.local_addr().unwrap();
        serve(listener, counts.clone(), forward.layer(session.layer(app)));
        Node {
            address,
            labelled,
            counts,
        }
    }
}

/// The session layer and the one that forwards, of a node with these peers.
pub(crate) fn layers(
    labelled: &Labelled,
    table: &[(&str, SocketAddr)],
    set: impl FnOnce(Peers) -> Peers,
) -> (SessionLayer, ForwardLayer) {
    let addresses = table
        .iter()
        .map(|(label, at)| (*label, format!("http://{at}")));
    let peers = set(Peers::table(addresses).unwrap());
    let session = SessionLayer::new(labelled.clone()).peers(peers);
    let forwarding = session.forwarding().unwrap();
    (session, forwarding)
}

/// Serves this application on a node whose sessions are kept as `layer` says. It has to forward.
pub(crate) fn serve_node(listener: TcpListener, layer: &SessionLayer, app: Router) {
    let forward = layer.forwarding().unwrap();
    let app = forward.layer(layer.layer(app));
    serve(listener, Arc::default(), app);
}

async fn count_request(
    State(counts): State<Arc<Counts>>,
    request: Request<Body>,
    handler: Handler,
) -> Response<Body> {
    counts.requests.fetch_add(1, Ordering::SeqCst);
    handler.run(request).await
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn serve<S, B>(listener: TcpListener, counts: Arc<Counts>, app: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counts.connections.fetch_add(1, Ordering::SeqCst);
            let (io, app) = (TokioIo::new(stream), TowerToHyperService::new(app.clone()));
            tokio::spawn(async move {
                let mut server = Builder::new(TokioExecutor::new());
                server.http2().enable_connect_protocol();
                // A client that goes away is no failure of the server.
                let _ = server.serve_connection_with_upgrades(io, app).await;
            });
        }
    });
}
