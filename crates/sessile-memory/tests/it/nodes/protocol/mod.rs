//! Random stories of nodes, clients and a store: what holds whatever the order.
//!
//! Every call to the store waits twice, until it is done there and until the node hears of it;
//! whatever lies between is a pause of that node. A call whose node has crashed may still be done.

mod run;
mod serve;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use run::{CLIENTS, NODES, Step, World};
use serve::What;

use super::Fault;

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => Just(What::Read),
        3 => Just(What::Insert),
        4 => Just(What::Update),
        1 => Just(What::Login),
        1 => Just(What::Logout),
        1 => Just(What::Renew),
    ]
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        8 => Just(None),
        1 => Just(Some(Fault::Unavailable)),
        1 => Just(Some(Fault::Lost)),
        1 => Just(Some(Fault::Unheard)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..8_usize;
    prop_oneof![
        6 => (0..CLIENTS, 0..NODES, what()).prop_map(|(c, n, w)| Step::Send(c, n, w)),
        1 => (at(), 0..NODES).prop_map(|(t, n)| Step::Again(t, n)),
        6 => (at(), fault()).prop_map(|(at, fault)| Step::Do(at, fault)),
        6 => at().prop_map(Step::Answer),
        4 => at().prop_map(Step::Deliver),
        1 => at().prop_map(Step::Lose),
        1 => (0..NODES).prop_map(Step::Crash),
        1 => at().prop_map(Step::Cancel),
        2 => (1..6000_u64).prop_map(Step::Wait),
        3 => Just(Step::Settle),
    ]
}

fn config(cases: u32) -> Config {
    Config {
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::with_cases(cases)
    }
}

/// Runs stories until one breaks a law, and returns the shortest that was found to.
fn shortest(
    cases: u32,
    step: impl Strategy<Value = Step>,
    story: impl Fn(&[Step]) -> Result<(), String>,
) -> Option<(Vec<Step>, String)> {
    let steps = prop::collection::vec(step, 0..60);
    let mut runner = TestRunner::new_with_rng(
        config(cases),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let found = runner.run(&steps, |steps| story(&steps).map_err(TestCaseError::fail));
    match found {
        Ok(()) => None,
        Err(TestError::Fail(reason, steps)) => Some((steps, reason.to_string())),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Deadlines need a clock, which stands still.
fn with_timer<R>(run: impl FnOnce() -> R) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let _guard = runtime.enter();
    run()
}

fn keeps_the_laws(steps: &[Step]) -> Result<(), String> {
    with_timer(|| World::new().story(steps))
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_older_is_served_than_is_known() {
    let broken = shortest(2000, step(), keeps_the_laws);
    assert!(broken.is_none(), "{broken:#?}");
}

/// The control: were the version in the credential not looked at, a client that waits for every
/// answer would miss its own writes.
#[test]
fn without_versions_in_credentials_the_model_finds_a_client_that_misses_its_own_write() {
    let (steps, reason) = shortest(2000, step(), |steps| {
        with_timer(|| {
            let mut world = World::new();
            world.blind = true;
            world.story(steps)
        })
    })
    .expect("a law is broken");
    assert_eq!(reason, "", "{steps:?}");
}
