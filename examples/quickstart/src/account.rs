//! The page and its forms: each does one thing to the session and sends the browser back.

use axum::extract::{Form, State};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Router, http::header};
use serde::Deserialize;
use sessile::{Result, Session, Sessions};
use tower_http::csrf::CsrfLayer;

use crate::{page, plus_one};

/// The page at `/`, and what its forms post to. A post from another site is refused with `403`.
pub(crate) fn routes(sessions: Sessions) -> Router {
    let forms = Router::new()
        .route("/visit", post(visit))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/revoke", post(revoke))
        .route("/revoke-others", post(revoke_others))
        .layer(CsrfLayer::new());
    Router::new()
        .route("/", get(home))
        .merge(forms)
        .with_state(sessions)
}

/// Looking makes no session: a visitor gets a cookie with the first thing worth remembering.
async fn home(session: Session, State(sessions): State<Sessions>) -> Result<impl IntoResponse> {
    let mine = match session.subject() {
        Some(subject) => sessions.list(&subject).await?,
        None => Vec::new(),
    };
    let html = page::home(&page::View {
        visits: session.get("visits")?.unwrap_or(0),
        subject: session.subject().as_deref(),
        arrival: session.arrival(),
        current: session.exists().then(|| session.id()),
        mine: &mine,
    });
    let policy = [(header::CONTENT_SECURITY_POLICY, page::POLICY)];
    Ok((policy, Html(html)))
}

async fn visit(session: Session) -> Result<Redirect> {
    session.update_now("visits", plus_one).await?;
    Ok(back())
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// Believes any name. A program of yours checks a password or a passkey before this line, and
/// passes the user's stable id.
async fn login(session: Session, Form(form): Form<Login>) -> Result<Redirect> {
    let name: String = form.name.trim().chars().take(page::LONGEST_NAME).collect();
    if !name.is_empty() {
        session.login(name)?;
    }
    Ok(back())
}

async fn logout(session: Session) -> Result<Redirect> {
    session.logout()?;
    Ok(back())
}

#[derive(Deserialize)]
struct Revoke {
    id: String,
}

/// An id is public and opens nothing; what it may be used for is decided here: users revoke what
/// is in their own list, and nothing else.
async fn revoke(
    session: Session,
    State(sessions): State<Sessions>,
    Form(form): Form<Revoke>,
) -> Result<Redirect> {
    if let Some(subject) = session.subject() {
        let mine = sessions.list(&subject).await?;
        if let Some(meant) = mine.iter().find(|info| info.id.to_string() == form.id) {
            sessions.revoke(&meant.id).await?;
        }
    }
    Ok(back())
}

async fn revoke_others(session: Session, State(sessions): State<Sessions>) -> Result<Redirect> {
    if session.subject().is_some() {
        sessions.revoke_others(&session).await?;
    }
    Ok(back())
}

/// `303 See Other`: the browser gets the page anew, and a reload repeats no form.
fn back() -> Redirect {
    Redirect::to("/")
}
