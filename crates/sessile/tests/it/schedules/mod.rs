//! Random programs under random schedules: what holds whatever the order.
//!
//! Requests and tasks that share a handle are polled by hand, only when their waker was called.
//! Every operation of the strategy waits twice: until the schedule lets it take effect, and until
//! the schedule lets its answer be seen. One whose caller is gone may still take effect.

mod check;
mod gated;
mod program;
mod run;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use http::header::SET_COOKIE;
use http::{Method, Request, StatusCode};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::strategy::Strategy as _;
use sessile::{
    Arrival, ErrorKind, Guarantees, LazySession, Lifetime, Session, SessionId, SessionLayer,
    Strategy, Timestamp,
};
use sessile_core::{
    Created, Error, Opened, Outcome, Patch, Presented, Record, Result, Step, Turn, Verifier,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::client::{Client, count, over};
use crate::probe::{Call, Probe};

use check::*;
use gated::*;
use program::*;
use run::*;

fn story(ops: &'static [Do]) -> impl proptest::strategy::Strategy<Value = Story> {
    let task = prop::collection::vec(prop::sample::select(ops), 0..5);
    let tasks = prop::collection::vec(task, 1..3);
    let plan = (0..2_usize, tasks, any::<bool>()).prop_map(|(jar, tasks, waits)| Plan {
        jar,
        tasks,
        waits,
    });
    let schedule = prop::collection::vec(any::<u8>(), 0..120);
    let requests = prop::collection::vec(plan, 1..4);
    (requests, schedule, any::<bool>(), any::<bool>()).prop_map(
        |(requests, schedule, faults, drops)| Story {
            requests,
            schedule,
            faults,
            drops,
        },
    )
}

const PLAIN: &[Do] = &[Do::Insert, Do::Update, Do::UpdateNow, Do::Commit, Do::Yield];

const KEEPS: &[Do] = &[
    Do::Insert,
    Do::Remove,
    Do::Update,
    Do::Update,
    Do::UpdateNow,
    Do::Take,
    Do::Renew,
    Do::Relogin,
    Do::Commit,
    Do::Reload,
    Do::Yield,
];

const ALL: &[Do] = &[
    Do::Insert,
    Do::Remove,
    Do::Update,
    Do::UpdateNow,
    Do::Take,
    Do::Renew,
    Do::Relogin,
    Do::Commit,
    Do::Reload,
    Do::Yield,
    Do::Clear,
    Do::Login,
    Do::Logout,
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_writes_are_exact(story in story(PLAIN)) {
        tell(&story);
    }

    #[test]
    fn nothing_acknowledged_is_lost_or_done_twice(story in story(KEEPS)) {
        tell(&story);
    }

    #[test]
    fn whatever_is_done_to_a_session(story in story(ALL)) {
        tell(&story);
    }
}

#[tokio::test]
async fn a_commit_that_was_given_up_is_not_followed_by_a_success() {
    let (layer, _) = over(Probe::waiting());
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    let answer = client
        .post(&layer, async |session| {
            session.update("n", |n: &mut u64| *n += 1)?;
            let mut commit = Box::pin(session.commit());
            let context = &mut Context::from_waker(Waker::noop());
            assert!(commit.as_mut().poll(context).is_pending());
            drop(commit);
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_a_login_inherits_outlives_an_unknown_outcome() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            other.insert(&layer, "n", 1).await;
            session.login("alice")?;
            probe.fail(Call::Apply, ErrorKind::Unknown);
            assert_eq!(
                session.commit().await.unwrap_err().kind(),
                ErrorKind::Unknown
            );
            probe.heal();
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "alice n=1 resumed");
}

#[tokio::test]
async fn a_login_over_a_revoked_session_fails_whoever_logs_in_meanwhile() {
    let probe = Probe::waiting();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let answer = client
        .post(&layer, async |session| {
            layer.sessions().revoke_all("alice").await?;
            session.login("alice")?;
            let mut next = Some(session.clone());
            probe.before(move |call| {
                if call == Call::End
                    && let Some(session) = next.take()
                {
                    session.login("bob").unwrap();
                }
            });
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(count(&layer).await, 0);
}
