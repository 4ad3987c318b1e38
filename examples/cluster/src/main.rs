//! Three nodes with sticky sessions, in one process: each is a server on a port of its own, with
//! a memory of its own, as three machines would be.
//!
//! ```text
//! cargo run -p cluster                              # with the memory store behind them
//! cargo run -p cluster -- redis://127.0.0.1:6379    # with Redis; or sqlite:cluster.db?mode=rwc
//! cargo run -p cluster -- none                      # nothing behind them: sessions end with their node
//! curl -c jar -b jar http://127.0.0.1:3000/visits   # made at n1
//! curl -c jar -b jar http://127.0.0.1:3001/visits   # n2 sends it on to n1
//! curl -X POST http://127.0.0.1:3000/stop           # n1 hands its sessions over, and stops
//! curl -c jar -b jar http://127.0.0.1:3001/visits   # counts on, at n2
//! ```

mod node;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sessile::{KeyRing, MasterKey, Peers, Store};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::node::Node;

const LABELS: [&str; 3] = ["n1", "n2", "n3"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let url = std::env::args().nth(1);
    let backing: Option<Arc<dyn Store>> = match url.as_deref() {
        Some("none") => None,
        url => Some(sessile::connect(url.unwrap_or("memory:")).await?),
    };
    // All nodes have the same keys. In one process a random one will do.
    let ring = match std::env::var("SESSILE_KEY") {
        Ok(secret) => KeyRing::new(MasterKey::new("SESSILE_KEY", secret)?),
        Err(_) => KeyRing::random(),
    };

    let first: u16 = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
    for (label, port) in LABELS.into_iter().zip(first..=u16::MAX) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        addresses.push((label, format!("http://{}", listener.local_addr()?)));
        listeners.push(listener);
    }
    let [one, two, three] = [0, 1, 2].map(|at| addresses[at].1.clone());
    println!("n1, n2 and n3 listening on {one}, {two} and {three}");
    println!("try: curl -c jar -b jar {one}/visits");
    println!("     curl -c jar -b jar {two}/visits");
    println!("     curl -X POST {one}/stop");

    let peers = Peers::table(addresses)?;
    let mut nodes = JoinSet::new();
    for (label, listener) in LABELS.into_iter().zip(listeners) {
        let (ring, backing) = (ring.clone(), backing.clone());
        let node = Node::new(label, ring, backing, peers.clone())?;
        nodes.spawn(node.serve(listener));
    }
    while let Some(served) = nodes.join_next().await {
        served??;
    }
    Ok(())
}
