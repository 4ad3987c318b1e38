//! One node: its sessions, its routes, and how it stops.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Router};
use sessile::{
    CookieConfig, KeyRing, Misrouted, Peers, Session, SessionLayer, Sessions, Sticky, Store,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How long the sessions of a node may take to move. They move with their clients' next requests.
const DRAIN: Duration = Duration::from_secs(30);

/// One of the nodes.
pub(crate) struct Node {
    app: Router,
    sessions: Sessions,
    stop: Arc<Notify>,
}

impl Node {
    /// A node in front of this store, if there is one.
    pub(crate) fn new(
        label: &'static str,
        ring: KeyRing,
        backing: Option<Arc<dyn Store>>,
        peers: Peers,
    ) -> sessile::Result<Self> {
        let node = Sticky::node(label).keys(ring);
        let layer = match backing {
            Some(store) => {
                let node = node.misrouted([Misrouted::Forward, Misrouted::Adopt]);
                SessionLayer::new(node.backing(store).build()?)
            }
            None => {
                let node = node.misrouted([Misrouted::Forward, Misrouted::Lost]);
                SessionLayer::new(node.build()?)
            }
        };
        // For plain http on this machine: behind https, leave the cookie as it is by default.
        let cookie = CookieConfig::new().insecure_dev().build()?;
        let layer = layer.cookie(cookie).peers(peers);
        let (sessions, forwarding) = (layer.sessions(), layer.forwarding());
        let stop = Arc::<Notify>::default();
        let app = Router::new()
            .route("/visits", get(visits))
            .layer(layer)
            .layer(Extension(label))
            .route("/stop", post(ask_to_stop).with_state(stop.clone()));
        // The outermost layer: what is sent on does all its work at the other node.
        let app = match forwarding {
            Some(forwarding) => app.layer(forwarding),
            None => app,
        };
        Ok(Node {
            app,
            sessions,
            stop,
        })
    }

    /// Serves until it is asked to stop, and then until its sessions are handed over.
    pub(crate) async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let (sessions, stop) = (self.sessions, self.stop);
        axum::serve(listener, self.app)
            .with_graceful_shutdown(async move {
                tokio::select! {
                    () = stop.notified() => {}
                    () = asked_by_signal() => {}
                }
                // It serves while it drains: its clients are given credentials that lead away.
                if let Err(why) = sessions.drain(DRAIN).await {
                    eprintln!("{why}");
                }
            })
            .await
    }
}

async fn visits(Extension(label): Extension<&str>, session: Session) -> sessile::Result<String> {
    let visits = session.update_now("visits", |n: &mut u64| {
        *n += 1;
        *n
    });
    Ok(format!("visit {} at {label}\n", visits.await?))
}

async fn ask_to_stop(State(stop): State<Arc<Notify>>) {
    stop.notify_one();
}

async fn asked_by_signal() {
    // Where there is no such signal, nobody asks.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
