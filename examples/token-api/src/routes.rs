//! The routes: none of them knows how its session travels.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use sessile::{Refresh, Result, Session};

/// Logs a program in. Its token is in the header `Session-Token`, its first handle in the body.
pub(crate) async fn token(
    session: Session,
    State(refresh): State<Refresh>,
    Path(subject): Path<String>,
) -> Result<String> {
    session.login(subject)?;
    Ok(session.issue_refresh(&refresh).await?.unwrap_or_default())
}

/// The next token and the next handle, for a handle; `401` if it is not good any more.
pub(crate) async fn refresh(
    session: Session,
    State(refresh): State<Refresh>,
    handle: String,
) -> Result<std::result::Result<String, StatusCode>> {
    let next = session.refresh(&refresh, &handle).await?;
    Ok(next.ok_or(StatusCode::UNAUTHORIZED))
}

/// Logs a program out: its session, and its handles.
pub(crate) async fn end(
    session: Session,
    State(refresh): State<Refresh>,
    handle: String,
) -> Result<()> {
    session.logout_with(&refresh, &handle).await
}

/// Logs a browser in, by its cookie.
pub(crate) async fn login(session: Session, Path(subject): Path<String>) -> Result<()> {
    session.login(subject)
}

pub(crate) async fn logout(session: Session) -> Result<()> {
    session.logout()
}

/// Two responses at once count one: the last one wins. What has to be exact belongs into a store.
pub(crate) async fn visits(session: Session) -> Result<String> {
    let visits = session.update("visits", |n: &mut u64| {
        *n += 1;
        *n
    })?;
    Ok(format!("visit {visits}"))
}

pub(crate) async fn whoami(session: Session) -> String {
    let subject = session.subject();
    subject.map_or_else(|| "nobody".to_owned(), |subject| subject.to_string())
}
