//! The laws of a store, on tower-sessions' own `MemoryStore`.

use sessile_conformance::{Factory, Matrix};
use sessile_tower_sessions::{TowerSessionsStore, V0_14, V0_15};

use crate::listed::Listed;

/// What needs to count a subject's sessions.
const OF_CAPS: [&str; 6] = [
    "a_create_that_finds_its_id_taken_ends_nobody",
    "a_cap_that_rejects_is_exact_under_parallel_logins",
    "a_cap_that_evicts_is_exact_under_parallel_logins",
    "a_cap_evicts_the_oldest",
    "a_lower_cap_ends_as_many_as_are_too_many",
    "only_live_sessions_of_the_subject_count_towards_a_cap",
];

/// What needs to find a subject's sessions.
const OF_LISTS: [&str; 8] = [
    "subjects_are_told_apart_by_their_bytes",
    "every_live_session_of_a_subject_is_listed",
    "nobody_elses_session_is_listed",
    "what_ended_is_not_listed_as_live",
    "what_expired_is_not_listed_as_live",
    "what_a_slower_clock_still_serves_is_listed",
    "a_revocation_ends_every_login_that_it_finds",
    "a_login_that_was_made_before_a_revocation_does_not_outlive_it",
];

/// What looks into a list to see what became of something else.
const WITH_A_LIST: [&str; 4] = [
    "an_id_that_is_taken_keeps_its_first_record",
    "a_clock_that_goes_back_loses_nothing",
    "a_sweep_takes_nothing_that_is_live",
    "a_create_that_is_dropped_is_made_whole_or_not_at_all",
];

async fn breaks(stores: &dyn Factory, expected: &[&[&str]]) {
    let mut matrix = Matrix::new();
    matrix.run("bridge", stores).await;
    let mut broken: Vec<_> = matrix.broken().map(|(_, law, _)| law.name()).collect();
    let mut expected = expected.concat();
    broken.sort_unstable();
    expected.sort_unstable();
    assert_eq!(broken, expected, "\n{matrix}");
    for (_, law, violation) in matrix.broken() {
        let said = violation.to_string();
        assert!(said.contains("(unsupported)"), "{}: {said}", law.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_0_14_that_is_used_alone_keeps_every_law_but_those_of_lists_and_caps() {
    let store = || async {
        let theirs = tower_sessions::MemoryStore::default();
        TowerSessionsStore::alone(V0_14(theirs))
    };
    breaks(&store, &[&OF_CAPS, &OF_LISTS, &WITH_A_LIST]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_0_15_that_is_used_alone_keeps_every_law_but_those_of_lists_and_caps() {
    let store = || async {
        let theirs = tower_sessions_0_15::MemoryStore::default();
        TowerSessionsStore::alone(V0_15(theirs))
    };
    breaks(&store, &[&OF_CAPS, &OF_LISTS, &WITH_A_LIST]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_hides_behind_a_list_that_is_not_there() {
    let store = || async {
        let theirs = tower_sessions_0_15::MemoryStore::default();
        Listed::new(TowerSessionsStore::alone(V0_15(theirs)))
    };
    breaks(&store, &[&OF_CAPS]).await;
}
