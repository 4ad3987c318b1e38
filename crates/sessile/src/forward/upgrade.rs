//! A connection that stops speaking HTTP, such as a WebSocket: bytes both ways, until one side
//! has had enough.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::telemetry;

/// Joins the two connections, once both heads are through.
pub(super) fn join(client: OnUpgrade, peer: OnUpgrade) {
    tokio::spawn(async move {
        // Where one of them was closed before, the other is closed with its handle.
        let Ok(client) = client.await else { return };
        let Ok(peer) = peer.await else { return };
        let (mut client, mut peer) = (TokioIo::new(client), TokioIo::new(peer));
        if tokio::io::copy_bidirectional(&mut client, &mut peer)
            .await
            .is_err()
        {
            telemetry::tunnel_broke();
        }
    });
}
