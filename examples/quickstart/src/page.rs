//! The page, in plain HTML: it works without scripts, and everything that a user typed is
//! escaped.

use std::fmt::Write as _;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Response, header};
use sessile::{Arrival, Clock, ErrorKind, SessionId, SessionInfo, SystemClock, Timestamp};

/// Nothing but this page's own styles and forms.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// In characters.
pub(crate) const LONGEST_NAME: usize = 40;

const STYLE: &str = include_str!("page.css");

/// What the page shows.
pub(crate) struct View<'a> {
    pub(crate) visits: u64,
    pub(crate) subject: Option<&'a str>,
    pub(crate) arrival: Arrival,
    /// The session's public id, once there is one.
    pub(crate) current: Option<SessionId>,
    /// The sessions of the subject.
    pub(crate) mine: &'a [SessionInfo],
}

/// The page at `/`.
pub(crate) fn home(view: &View<'_>) -> String {
    let mut main = notice(view.arrival);
    main += &counter(view);
    match view.subject {
        None => main += &login_form(),
        Some(subject) => main += &account(subject, view),
    }
    main += &about(view);
    frame("sessile quickstart", &main)
}

/// The page for an error of the session.
pub(crate) fn error(error: &sessile::Error, _: &Parts) -> Option<Response<Body>> {
    let text = match error.kind() {
        ErrorKind::Gone => {
            "This session has ended: it was logged out or revoked somewhere else. Nothing was \
             saved. Log in again, or wait a minute to start anew."
        }
        ErrorKind::Unavailable | ErrorKind::Unknown => {
            "The sessions can't be reached at the moment. Try again in a minute."
        }
        _ => "That did not work. Go back and try again.",
    };
    let main = format!(
        "<section class=\"card\"><h2>{}</h2><p>{text}</p><p><a href=\"/\">Back to the page</a></p></section>",
        error.status()
    );
    Response::builder()
        .status(error.status())
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(frame("That did not work", &main).into())
        .ok()
}

fn frame(title: &str, main: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<header><h1>sessile</h1><p>A server that remembers you, in ten lines.</p></header>
<main>
{main}</main>
</body>
</html>
"#
    )
}

fn notice(arrival: Arrival) -> String {
    let text = match arrival {
        Arrival::Ended => {
            "Your session has ended: it was logged out or revoked somewhere else. Log in to start a new one."
        }
        Arrival::Expired => "Your session has expired. What you do next starts a new one.",
        Arrival::Lost => {
            "The server was restarted, and your session with it. What you do next starts a new one."
        }
        _ => return String::new(),
    };
    format!("<p class=\"notice\" role=\"status\">{text}</p>\n")
}

fn counter(view: &View<'_>) -> String {
    let visits = view.visits;
    let unit = if visits == 1 { "visit" } else { "visits" };
    // An ended session takes no writes: the next login comes first.
    let disabled = if view.arrival == Arrival::Ended {
        " disabled"
    } else {
        ""
    };
    format!(
        r#"<section class="card counter" aria-labelledby="counter">
<h2 id="counter">Counter</h2>
<p class="count"><strong id="visits">{visits}</strong> {unit} in this session</p>
<form method="post" action="/visit"><button{disabled}>Count a visit</button></form>
</section>
"#
    )
}

fn login_form() -> String {
    format!(
        r#"<section class="card" aria-labelledby="login">
<h2 id="login">Log in</h2>
<form method="post" action="/login" class="row">
<label for="name">Your name</label>
<input id="name" name="name" required maxlength="{LONGEST_NAME}" autocomplete="username" aria-describedby="hint">
<button>Log in</button>
</form>
<p class="hint" id="hint">Any name will do: this example asks for no password. Your count comes along.</p>
</section>
"#
    )
}

fn account(subject: &str, view: &View<'_>) -> String {
    let mut rows = String::new();
    for info in view.mine {
        let id = escape(&info.id.to_string());
        let (seen, action) = if Some(info.id) == view.current {
            let badge = "<span class=\"badge\">this one</span>";
            ("now".to_owned(), badge.to_owned())
        } else {
            let revoke = format!(
                r#"<form method="post" action="/revoke"><input type="hidden" name="id" value="{id}"><button class="quiet" aria-label="Revoke session {id}">Revoke</button></form>"#
            );
            (ago(info.last_seen), revoke)
        };
        let short: String = id.chars().take(8).collect();
        // Writing to a String does not fail.
        let _ = writeln!(
            rows,
            "<tr><td><code title=\"{id}\">{short}…</code></td><td>{}</td><td>{seen}</td><td class=\"end\">{action}</td></tr>",
            ago(info.created_at),
        );
    }
    let others = match view.mine.len() {
        0 | 1 => {
            "<p class=\"hint\">Log in with another browser under the same name, and it appears here.</p>"
        }
        _ => {
            "<form method=\"post\" action=\"/revoke-others\"><button class=\"quiet\">Log out everywhere else</button></form>"
        }
    };
    format!(
        r#"<section class="card" aria-labelledby="account">
<div class="row">
<h2 id="account">Logged in as <span id="subject">{}</span></h2>
<form method="post" action="/logout"><button class="quiet">Log out</button></form>
</div>
</section>
<section class="card" aria-labelledby="mine">
<h2 id="mine">My sessions</h2>
<table>
<thead><tr><th scope="col">Session</th><th scope="col">Started</th><th scope="col">Last seen</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>
{rows}</tbody>
</table>
{others}
</section>
"#,
        escape(subject)
    )
}

fn about(view: &View<'_>) -> String {
    let state = match (view.current, view.arrival) {
        (Some(id), _) => {
            format!(
                "This is session <code>{id}</code>: a name that may be shown, and opens nothing."
            )
        }
        (None, Arrival::New) => {
            "You have no session yet, and no cookie: looking at a page makes neither.".to_owned()
        }
        (None, _) => "Your browser has a cookie that opens no session.".to_owned(),
    };
    format!(
        r#"<aside class="card about" aria-labelledby="about">
<h2 id="about">How this works here</h2>
<p id="state">{state}</p>
<p><strong>This page is served over plain http.</strong> For that the example calls
<code>CookieConfig::insecure_dev()</code>: the cookie is <code>sid</code>, without
<code>Secure</code>, and whoever is on the network can read it. Never do so in production: behind
https leave that call out, and the cookie is <code>__Host-sid; Secure</code>.</p>
</aside>
"#
    )
}

fn ago(at: SystemTime) -> String {
    let seconds = SystemClock.now().since(Timestamp::from(at)).as_secs();
    let (number, unit) = match seconds {
        0..5 => return "just now".to_owned(),
        5..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        _ => (seconds / 3600, "hour"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

/// Makes text out of what a user typed, in content and in quoted attributes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}
