//! A session in use after its response head has left.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use futures_util::stream;
use sessile::{Result, Session, Sessions};
use tokio::time::sleep;

pub(super) fn routes() -> Router<Sessions> {
    Router::new().route("/stream/{n}/{ms}", get(chunks))
}

/// A chunk is `chunk I`, or the kind of the error that saving it gave: `too_late` for a client
/// without a session, which can't be given one any more.
async fn chunks(session: Session, Path((n, ms)): Path<(u64, u64)>) -> Body {
    Body::from_stream(stream::unfold(
        (session, 1),
        move |(session, i)| async move {
            if i > n {
                return None;
            }
            sleep(Duration::from_millis(ms)).await;
            let line = match save(&session, i).await {
                Ok(()) => format!("chunk {i}\n"),
                Err(error) => format!("{}\n", error.kind()),
            };
            Some((Ok::<_, Infallible>(line), (session, i + 1)))
        },
    ))
}

async fn save(session: &Session, chunk: u64) -> Result<()> {
    session.insert("chunk", chunk)?;
    session.commit().await
}
