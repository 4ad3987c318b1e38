//! Proves, before anything is measured, that a contestant really does what each workload says.
//!
//! A layer that forgets its sessions is very fast, and its figures are worth nothing.

use crate::{
    contestants::{Answer, Bench, Entry, Role},
    workload::{COUNT, IGNORE, INSERT, READ, Recipe, SIGN_IN, Workload},
};

/// Starts a contestant, checks it, and returns it with the cookie it gave to a user who signed in.
pub async fn checked(entry: &Entry) -> (Box<dyn Bench>, String) {
    let mut bench = entry.start().await;
    let cookie = check(entry, &mut *bench).await;
    (bench, cookie)
}

/// Checks a contestant, and returns the cookie it gave to a user who signed in.
pub async fn check(entry: &Entry, bench: &mut dyn Bench) -> String {
    if matches!(entry.role, Role::Bare | Role::Floor) {
        // It keeps nothing; it is sent a cookie of the usual length, because parsing headers is not the layer's cost.
        return "__Host-sid=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned();
    }
    sessions(entry.name, bench).await
}

/// The same for whoever has sessions and is in no list.
pub async fn sessions(name: &'static str, bench: &mut dyn Bench) -> String {
    Check { name, bench }.all().await
}

struct Check<'a> {
    name: &'static str,
    bench: &'a mut dyn Bench,
}

impl Check<'_> {
    async fn all(&mut self) -> String {
        self.new_visitor(INSERT).await;
        let cookie = self.new_visitor(&format!("{SIGN_IN}?somebody")).await;
        self.untouched_session_sets_no_cookie(&cookie).await;
        self.reads(&cookie, Some(1)).await;
        self.counter_counts(&cookie).await;
        for workload in [Workload::W5f, Workload::W5g] {
            let answer = self.ask(&workload.recipe(&cookie)).await;
            self.expect(workload.name(), answer.seen == Some(None), &answer);
        }

        // The counter above moved on; the measured client is a new one, whose `n` is 1 in every contestant.
        self.new_visitor(&format!("{SIGN_IN}?user-0000042")).await
    }

    /// W4: a cookie is set, and with it the value is found again.
    async fn new_visitor(&mut self, path: &str) -> String {
        let answer = self.ask(&Recipe::new(path, None)).await;
        self.expect("W4", answer.cookie.is_some(), &answer);
        let cookie = answer.cookie.expect("just checked");
        self.reads(&cookie, Some(1)).await;
        cookie
    }

    /// W0 and W1: nothing is read, nothing is set.
    async fn untouched_session_sets_no_cookie(&mut self, cookie: &str) {
        for (workload, cookie) in [("W0", None), ("W1", Some(cookie))] {
            let answer = self.ask(&Recipe::new(IGNORE, cookie)).await;
            self.expect(
                workload,
                answer.cookie.is_none() && answer.seen.is_none(),
                &answer,
            );
        }
    }

    /// W3: twice in a row counts to two more. A session that lives in its cookie sends a new one each time.
    async fn counter_counts(&mut self, cookie: &str) {
        let mut cookie = cookie.to_owned();
        for expected in [2, 3] {
            let answer = self.ask(&Recipe::new(COUNT, Some(&cookie))).await;
            self.expect("W3", answer.seen == Some(Some(expected)), &answer);
            cookie = answer.cookie.unwrap_or(cookie);
        }
        self.reads(&cookie, Some(3)).await;
    }

    async fn reads(&mut self, cookie: &str, expected: Option<u64>) {
        let answer = self.ask(&Recipe::new(READ, Some(cookie))).await;
        self.expect("W2", answer.seen == Some(expected), &answer);
    }

    async fn ask(&mut self, recipe: &Recipe) -> Answer {
        let answer = self.bench.ask(recipe).await;
        self.expect(recipe.uri.path(), answer.status == 200, &answer);
        answer
    }

    fn expect(&self, what: &str, holds: bool, answer: &Answer) {
        assert!(
            holds,
            "{} does not do what {what} says: it answered {answer:?}",
            self.name
        );
    }
}
