//! Lost updates: requests at once, each of which inserts a key of its own.

use std::{collections::BTreeSet, time::Duration};

use tokio::task::JoinSet;

use super::{
    Started, insert,
    servers::{Entry, KEYS, key},
};
use crate::table;

/// Between loading the session and inserting the key.
const WAIT: Duration = Duration::from_millis(5);

/// Inserted one after another before anything is measured: a contestant that loses those does not work.
const IN_TURN: usize = 10;

/// What became of the requests of one contestant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Updates {
    /// Keys that are in the session afterwards.
    kept: usize,
    /// Requests answered with an error, or not at all.
    errors: usize,
    /// Requests whose answer said that all is well, and whose key is not there.
    unnoticed: usize,
}

pub async fn measure(contestant: &Started) -> Updates {
    keeps_what_comes_in_turn(contestant).await;
    let cookie = contestant.log_in().await;
    // All connections first, so that the requests come at once.
    let mut connections = Vec::new();
    for n in 0..KEYS {
        let connection = contestant.client(n).connect().await;
        connections.push(connection.expect("a server that listens"));
    }
    let mut requests = JoinSet::new();
    for (n, connection) in connections.into_iter().enumerate() {
        let cookie = cookie.clone();
        requests.spawn(async move {
            let answer = connection.post(&insert(&key(n), WAIT), Some(&cookie)).await;
            (n, answer.is_ok_and(|answer| !answer.is_error()))
        });
    }
    let answers = requests.join_all().await;

    let kept = keys(contestant, &cookie).await;
    let well = answers.iter().filter(|(_, is_well)| *is_well);
    Updates {
        kept: kept.len(),
        errors: KEYS - well.clone().count(),
        unnoticed: well.filter(|(n, _)| !kept.contains(&key(*n))).count(),
    }
}

/// Each request to the next process, so that this also shows that they share their sessions.
async fn keeps_what_comes_in_turn(contestant: &Started) {
    let cookie = contestant.log_in().await;
    for n in 0..IN_TURN {
        let path = insert(&key(n), Duration::ZERO);
        let answer = contestant.client(n).post(&path, Some(&cookie)).await;
        let answer = answer.expect("an answer to an insert");
        assert_eq!(answer.status, 200, "an insert that nobody disturbs");
    }
    let kept = keys(contestant, &cookie).await.len();
    assert_eq!(kept, IN_TURN, "keys inserted one after another");
}

/// The keys that are in the session.
async fn keys(contestant: &Started, cookie: &str) -> BTreeSet<String> {
    let answer = contestant.client(0).get("/keys", Some(cookie)).await;
    let body = answer.expect("an answer to a read").body;
    body.split_whitespace().map(str::to_owned).collect()
}

pub fn print<'a>(measured: impl Iterator<Item = (&'a Entry, &'a Updates)>) {
    let rows: Vec<Vec<String>> = measured
        .map(|(entry, updates)| {
            vec![
                entry.name.to_owned(),
                entry.processes.to_string(),
                updates.kept.to_string(),
                updates.errors.to_string(),
                updates.unnoticed.to_string(),
                entry.versions(),
            ]
        })
        .collect();
    let kept = format!("kept of {KEYS}");
    let header = [
        "contestant",
        "processes",
        &kept,
        "answered with an error",
        "answered well, and lost",
        "versions",
    ];
    let title = format!(
        "Lost updates: {KEYS} requests at once to one session, each inserts its own key after {} ms",
        WAIT.as_millis()
    );
    table::print(&title, &header, &rows);
}
