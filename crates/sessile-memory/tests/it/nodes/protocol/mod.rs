//! Random stories of nodes, clients and a store: what holds whatever the order.
//!
//! Every call to the store waits twice, until it is done there and until the node hears of it;
//! whatever lies between is a pause of that node. A call whose node has crashed may still be done.

mod run;
mod serve;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

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

/// Runs stories until one breaks a law, and returns the shortest that was found to.
fn shortest(
    mut runner: TestRunner,
    step: impl Strategy<Value = Step>,
    story: impl Fn(&[Step]) -> Result<(), String>,
) -> Option<(Vec<Step>, String)> {
    let steps = prop::collection::vec(step, 0..60);
    let found = runner.run(&steps, |steps| story(&steps).map_err(TestCaseError::fail));
    match found {
        Ok(()) => None,
        Err(TestError::Fail(reason, steps)) => Some((steps, reason.to_string())),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Other stories each time; twice as many as `PROPTEST_CASES` says.
fn for_a_law() -> TestRunner {
    let cases = Config::default().cases * 2;
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    })
}

/// The same stories each time, and enough to find what is broken.
fn for_a_control() -> TestRunner {
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::with_cases(4000)
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
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
    let broken = shortest(for_a_law(), step(), keeps_the_laws);
    assert!(broken.is_none(), "{broken:#?}");
}

/// The control: were the version in the credential not looked at, a client that waits for every
/// answer would miss its own writes.
#[test]
fn without_versions_in_credentials_the_model_finds_a_client_that_misses_its_own_write() {
    let (steps, reason) = shortest(for_a_control(), step(), |steps| {
        with_timer(|| {
            let mut world = World::new();
            world.blind = true;
            world.story(steps)
        })
    })
    .expect("a law is broken");
    assert!(reason.starts_with("what a client knew is gone"), "{reason}");
    assert!(steps.len() <= 6, "{steps:?}");
}

/// Of a client that waits for each answer, over a store that goes back.
fn step_of_one() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..NODES, what()).prop_map(|(node, what)| Step::Send(0, node, what)),
        3 => fault().prop_map(|fault| Step::Do(0, fault)),
        3 => Just(Step::Answer(0)),
        1 => Just(Step::Lose(0)),
        1 => (0..NODES).prop_map(Step::Crash),
        1 => Just(Step::Cancel(0)),
        2 => (1..6000_u64).prop_map(Step::Wait),
        5 => Just(Step::Settle),
        2 => (1..4_usize).prop_map(Step::Revert),
    ]
}

fn over_a_store_that_forgets(steps: &[Step], ignores_base: bool) -> Result<(), String> {
    with_timer(|| {
        let mut world = World::new();
        world.reverts = true;
        if ignores_base {
            world.store.ignore_base();
        }
        world.story(steps)
    })
}

#[test]
fn a_store_that_forgets_shows_a_waiting_client_nothing_old_unsaid() {
    let broken = shortest(for_a_law(), step_of_one(), |steps| {
        over_a_store_that_forgets(steps, false)
    });
    assert!(broken.is_none(), "{broken:#?}");
}

/// The control: without the fence a write goes onto what was forgotten, and nobody is told.
#[test]
fn without_a_base_the_model_finds_writes_that_are_lost_unsaid() {
    let (steps, reason) = shortest(for_a_control(), step_of_one(), |steps| {
        over_a_store_that_forgets(steps, true)
    })
    .expect("a law is broken");
    assert!(reason.starts_with("what a client knew is gone"), "{reason}");
    let reverts = |step: &Step| matches!(step, Step::Revert(_));
    assert!(steps.iter().any(reverts), "{steps:?}");
}

/// What a client that does not wait does, one request after the other, with answers in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    /// A write is done at this node; its answer is on the way.
    Write(usize),
    /// The answer that was sent first, or last, arrives.
    First,
    Last,
    /// The store goes back by one write.
    Revert,
    /// Later than any copy lasts, a read at this node, and its answer.
    Read(usize),
}

const TABS: [Tab; 7] = [
    Tab::Write(0),
    Tab::Write(1),
    Tab::Revert,
    Tab::First,
    Tab::Last,
    Tab::Read(0),
    Tab::Read(1),
];

/// Whether a write that a client was told is done is missing, and the client was never told so.
fn loses(tabs: &[Tab]) -> bool {
    with_timer(|| {
        let mut world = World::new();
        world.reverts = true;
        world.story(&[]).unwrap();
        for tab in tabs {
            match *tab {
                Tab::Write(node) => {
                    world.step(Step::Send(1, node, What::Insert)).unwrap();
                    world.work().unwrap();
                }
                Tab::First => world.tell(false),
                Tab::Last => world.tell(true),
                Tab::Revert => world.step(Step::Revert(1)).unwrap(),
                Tab::Read(node) => {
                    world.step(Step::Wait(5000)).unwrap();
                    world.step(Step::Send(1, node, What::Read)).unwrap();
                    world.work().unwrap();
                    world.tell(true);
                }
            }
            if world.is_deceived() {
                return true;
            }
        }
        false
    })
}

/// What a store that forgets can do to a client that does not wait: the guide quotes it.
#[test]
fn the_shortest_story_of_a_loss_that_nobody_is_told_of_takes_parallel_requests() {
    let mut stories = vec![Vec::new()];
    for _ in 0..5 {
        let longer = |story: &Vec<Tab>| {
            let longer = |tab: &Tab| [&story[..], &[*tab]].concat();
            TABS.iter().map(longer).collect::<Vec<_>>()
        };
        stories = stories.iter().flat_map(longer).collect();
        if let Some(found) = stories.iter().find(|story| loses(story)) {
            let expected = [
                Tab::Write(0),
                Tab::Revert,
                Tab::Write(1),
                Tab::First,
                Tab::Read(0),
            ];
            assert_eq!(*found, expected);
            return;
        }
    }
    panic!("no story of five steps");
}
