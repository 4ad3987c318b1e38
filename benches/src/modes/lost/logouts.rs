//! Lost logouts: a logout while a slow request has the session loaded.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Answer, Started, insert, servers, servers::Entry};
use crate::table;

/// Tries in which the logout came in between.
const TRIES: usize = 200;
/// Tries altogether, should the machine be too slow to time them.
const ATTEMPTS: usize = 3 * TRIES;

/// Between loading the session and inserting the key.
const WAIT: Duration = Duration::from_millis(20);
/// From sending the slow request to sending the logout.
const HEAD_START: Duration = Duration::from_millis(7);

/// What became of the logouts of one contestant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logouts {
    /// Tries in which the slow request had loaded the session before the logout was sent, and saved it after the
    /// logout was answered.
    tries: usize,
    /// The cookie from before the logout opens the session again.
    old_cookie: usize,
    /// The slow request's answer set a cookie that opens it.
    new_cookie: usize,
    /// The slow request was answered with an error.
    errors: usize,
}

pub async fn measure(contestant: &Started) -> Logouts {
    ends_the_session(contestant).await;
    let mut logouts = Logouts::default();
    for _ in 0..ATTEMPTS {
        if logouts.tries == TRIES {
            break;
        }
        attempt(contestant, &mut logouts).await;
    }
    logouts
}

/// A logout that nobody disturbs; a contestant that can't do that does not work.
async fn ends_the_session(contestant: &Started) {
    let cookie = contestant.log_in().await;
    assert!(contestant.is_logged_in(&cookie).await, "a login");
    log_out(contestant, &cookie).await;
    assert!(!contestant.is_logged_in(&cookie).await, "a logout");
}

async fn attempt(contestant: &Started, logouts: &mut Logouts) {
    let cookie = contestant.log_in().await;
    let slow = {
        let (client, cookie) = (contestant.client(0), cookie.clone());
        tokio::spawn(async move {
            let sent = Instant::now();
            let answer = client.post(&insert("late", WAIT), Some(&cookie)).await;
            (answer, sent, Instant::now())
        })
    };
    sleep(HEAD_START).await;
    let logout_sent = Instant::now();
    log_out(contestant, &cookie).await;
    let logout_answered = Instant::now();
    let (answer, sent, answered) = slow.await.expect("a request that ends");
    let answer = answer.expect("an answer to the slow request");

    // The server waits after it has loaded the session and before it saves it, so these follow from the client's
    // clock alone. An answer that came sooner is of a request that failed before that.
    let has_waited = answered - sent >= WAIT;
    let loaded_before = answered - WAIT <= logout_sent;
    let saved_after = sent + WAIT >= logout_answered;
    if !(has_waited && loaded_before && saved_after) {
        return;
    }
    logouts.tries += 1;
    if answer.is_error() {
        logouts.errors += 1;
    } else {
        assert_eq!(
            answer.body,
            servers::USER,
            "who was logged in when it loaded"
        );
    }
    logouts.old_cookie += usize::from(contestant.is_logged_in(&cookie).await);
    if let Some(new) = new_cookie(&answer, &cookie) {
        logouts.new_cookie += usize::from(contestant.is_logged_in(new).await);
    }
}

/// By way of another process, where there is one.
async fn log_out(contestant: &Started, cookie: &str) {
    let answer = contestant.client(1).post("/logout", Some(cookie)).await;
    let answer = answer.expect("an answer to a logout");
    assert_eq!(answer.status, 200, "a logout");
}

/// The cookie that an answer set, unless it is the one that was sent.
fn new_cookie<'a>(answer: &'a Answer, old: &str) -> Option<&'a str> {
    answer.cookie.as_deref().filter(|new| *new != old)
}

pub fn print<'a>(measured: impl Iterator<Item = (&'a Entry, &'a Logouts)>) {
    let rows: Vec<Vec<String>> = measured
        .map(|(entry, logouts)| {
            vec![
                entry.name.to_owned(),
                entry.processes.to_string(),
                logouts.tries.to_string(),
                logouts.old_cookie.to_string(),
                logouts.new_cookie.to_string(),
                logouts.errors.to_string(),
            ]
        })
        .collect();
    let header = [
        "contestant",
        "processes",
        "tries",
        "logged in by the old cookie",
        "logged in by a new cookie",
        "slow request answered with an error",
    ];
    let title = format!(
        "Lost logouts: a request loads the session and inserts after {} ms; meanwhile another one logs out",
        WAIT.as_millis()
    );
    table::print(&title, &header, &rows);
}
