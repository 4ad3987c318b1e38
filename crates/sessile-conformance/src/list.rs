//! The list of the laws: what becomes the tests of [`store!`](crate::store) and the data of
//! [`laws`](crate::laws()).

/// Calls a macro with every law: its module, its name, and what it is about.
#[doc(hidden)]
#[macro_export]
macro_rules! __laws {
    ($($call:tt)*) => {
        $crate::__call! {
            [$($call)*]

            creating::a_new_record_is_kept_as_it_is = "What is loaded is the record that was created, with every field of it.";
            creating::times_are_exact_up_to_their_limit = "Milliseconds below 2^53, none of them rounded.";
            creating::an_id_that_is_taken_keeps_its_first_record = "A create under an id that is in use is Taken, and changes nothing.";
            creating::nothing_is_created_over_a_tombstone = "An id that ended a moment ago can't be made again.";
            creating::a_create_that_finds_its_id_taken_ends_nobody = "The oldest session makes room only for one that is made.";
            creating::an_id_that_nobody_made_is_absent_and_not_adopted = "Looking an unknown id up finds nothing, and makes nothing.";
            creating::a_patch_never_creates = "A patch for nothing is Gone, of whatever kind it is, and leaves nothing.";
            creating::a_live_session_takes_every_patch = "The control of the laws of what is Gone: the same patches apply to a live session.";

            ending::an_end_returns_the_last_state = "Whoever ends a session gets what was acknowledged until then.";
            ending::a_second_end_returns_nothing = "A last state is handed out once.";
            ending::an_ended_session_is_told_so_until_its_tombstone_goes = "Ended until the tombstone's time, and never live again after it.";
            ending::an_end_leaves_a_tombstone_in_place_of_nothing_too = "A revocation can come before the login that it is to end.";
            ending::a_tombstone_is_never_shortened = "An end with an earlier time leaves the later one.";
            ending::a_later_end_lengthens_a_tombstone = "An end with a later time counts.";
            ending::an_end_whose_time_is_past_ends_all_the_same = "With no time for a tombstone, the record goes none the less.";
            ending::an_expired_session_that_ends_is_returned_and_ended = "An end returns the record as it was, expired or not.";
            ending::a_patch_for_an_ended_session_is_gone = "Whatever was in flight when a session ended is refused, then and later.";

            expiring::the_idle_deadline_is_exact = "Live one millisecond before it, and not at it, though nobody swept.";
            expiring::the_absolute_deadline_is_exact = "Live one millisecond before it, and not at it, though nobody swept.";
            expiring::a_session_past_a_deadline_is_told_to_be_expired = "Expired is not Absent: the client is told why.";
            expiring::no_patch_is_applied_at_a_deadline = "Live one millisecond before it, and Gone at it, for both deadlines.";
            expiring::a_patch_for_an_expired_session_is_gone = "No patch reaches a session past its deadline, and none brings it back.";
            expiring::time_is_what_the_caller_says = "In 2001 and in 2100 as today: the store's own clock counts for nothing.";
            expiring::a_clock_that_goes_back_loses_nothing = "A caller whose clock is behind writes as anybody, and moves no time back.";

            touching::a_touch_moves_the_idle_deadline = "To the use plus the session's idle time.";
            touching::a_touch_does_not_raise_the_version = "A note of use is no write.";
            touching::a_touch_changes_nothing_but_the_time_of_use = "Data, verifier and subject are as before.";
            touching::a_touch_never_moves_a_deadline_back = "One that comes late changes nothing.";
            touching::a_touch_never_moves_the_absolute_deadline = "A session in use ends at its absolute deadline all the same.";
            touching::a_lifetime_of_its_own_survives_touches = "A touch counts with the session's own idle time.";
            touching::a_lifetime_counts_from_the_creation_and_from_now = "Absolute from the creation, idle from now, shorter or longer than before.";

            merging::writes_from_one_view_merge_by_key = "Disjoint writes all survive, though their makers saw nothing of one another.";
            merging::of_two_writes_of_one_key_the_later_stays = "What is acknowledged is there.";
            merging::a_removal_removes_its_key_and_no_other = "And removing what is not there is no failure.";
            merging::a_clear_removes_keys_that_its_maker_never_saw = "A clear removes what is there when it is applied.";
            merging::what_is_set_after_a_clear_stays = "Within one patch the clear comes first.";
            merging::every_write_raises_the_version = "By one each, even where no byte changes.";
            merging::versions_are_exact_up_to_their_limit = "Numbers below 2^53, none of them rounded.";
            merging::there_is_no_version_beyond_the_limit = "A write that would make one is an error, and changes nothing.";
            merging::the_answer_to_a_patch_is_the_record_unless_it_was_the_base = "The record may be left out only where base and patch say it all.";

            expecting::an_expectation_that_fails_is_a_conflict = "What was read must still be so, for every key that was read.";
            expecting::an_expectation_of_absence_fails_where_there_is_a_value = "A value of null is a value.";
            expecting::an_expectation_of_a_value_fails_where_there_is_none = "No value is equal to none.";
            expecting::expectations_are_of_values_and_not_of_versions = "Writes of other keys, and of the same value again, are harmless.";
            expecting::an_expectation_alone_is_checked_and_changes_nothing = "What was answered on a value must hold, though nothing is written.";
            expecting::a_conflict_changes_nothing = "A patch is applied whole or not at all.";
            expecting::a_conflict_brings_the_record_as_it_is = "The loser runs again on what there is, not on what there was.";
            expecting::a_record_older_than_the_base_is_a_conflict = "State that went back is not written upon in silence.";
            expecting::an_older_record_that_is_accepted_gets_a_version_above_both = "The version goes on from the higher one of record and base.";

            rotating::a_rotation_replaces_the_verifier = "The new one is current, and the version grows.";
            rotating::a_rotation_keeps_the_previous_verifier_with_its_successor = "Whoever holds the previous one is led to the current one.";
            rotating::a_verifier_that_is_not_the_current_one_is_not_replaced = "A rotation is a compare-and-swap.";
            rotating::a_rotation_loses_no_data = "Data and subject stay, and a write in the same patch is made.";
            rotating::a_confirmation_ends_the_grace_once = "The first confirmation fixes its end; later ones change nothing.";
            rotating::a_confirmation_without_a_previous_verifier_does_nothing = "There is no grace to end.";

            bytes::values_come_back_byte_for_byte = "No number is rounded, no object sorted, no text refused.";
            bytes::keys_come_back_byte_for_byte = "No key is folded, trimmed, or taken for a path.";
            bytes::any_key_can_be_removed_alone = "No key is folded, trimmed, or taken for a path where it is removed.";
            bytes::expectations_compare_bytes = "What is equal to a database need not be equal.";
            bytes::a_session_may_hold_hundreds_of_keys = "Written, expected and removed in one patch.";
            bytes::a_session_may_hold_exactly_its_limit = "The limit itself is within it.";
            bytes::what_would_grow_beyond_the_limit_is_too_large_and_changes_nothing = "TooLarge is an error, and the record is as before.";
            bytes::one_that_is_too_large_already_may_shrink = "Or it can't come to be.";

            comparing::random_patches_do_what_the_reference_does = "Patches of every kind on records of every kind, next to Patch::apply_to.";

            subjects::subjects_are_told_apart_by_their_bytes = "Case, blanks, accents and NUL count, up to 512 bytes.";
            subjects::every_live_session_of_a_subject_is_listed = "Whatever was done to it, and with its record as it is.";
            subjects::nobody_elses_session_is_listed = "A list has no other subject's sessions, and no anonymous ones.";
            subjects::what_ended_is_not_listed_as_live = "And the others still are.";
            subjects::what_expired_is_not_listed_as_live = "And the others still are.";
            subjects::what_a_slower_clock_still_serves_is_listed = "Expired a moment ago by this clock is live by another one, and must be found.";
            subjects::a_revocation_ends_every_login_that_it_finds = "By list and end, with logins that really go on at the same time.";
            subjects::a_login_that_was_made_before_a_revocation_does_not_outlive_it = "By list and end, in every order of calls.";

            caps::a_cap_that_rejects_is_exact_under_parallel_logins = "A hundred at once, and not one too many.";
            caps::a_cap_that_evicts_is_exact_under_parallel_logins = "A hundred at once, and not one too many or too few.";
            caps::a_cap_evicts_the_oldest = "The subject's oldest session makes room.";
            caps::a_lower_cap_ends_as_many_as_are_too_many = "A cap that was lowered holds from the next login on.";
            caps::only_live_sessions_of_the_subject_count_towards_a_cap = "Ended and expired ones, anonymous ones and other subjects' do not.";

            sweeping::a_sweep_takes_nothing_that_is_live = "A session that was used since is looked at again.";
            sweeping::a_sweep_takes_no_tombstone_before_its_time = "What ended stays ended for as long as was said.";
            sweeping::a_sweep_keeps_to_its_limit_and_comes_to_an_end = "It frees at most as many as it was told, and none twice.";
            sweeping::the_count_is_that_of_the_live_sessions = "Where it can be told; ended and expired ones are none.";

            parallel::parallel_writes_of_different_keys_all_survive = "Really at once, and none conflicts.";
            parallel::parallel_updates_are_exact = "Compare-and-swap by value, run again on a conflict.";
            parallel::of_parallel_rotations_exactly_one_wins = "A verifier gets one successor.";
            parallel::of_parallel_creates_of_one_id_exactly_one_wins = "Insert if absent is one step.";
            parallel::of_parallel_ends_exactly_one_gets_the_last_state = "Two logins do not inherit the same data.";
            parallel::what_is_acknowledged_while_a_session_ends_is_in_its_last_state = "The end is one step for whoever writes.";

            dropping::a_patch_that_is_dropped_is_applied_whole_or_not_at_all = "Wherever its future is dropped, and the store goes on.";
            dropping::a_create_that_is_dropped_is_made_whole_or_not_at_all = "And is listed, if it is made.";
            dropping::an_end_that_is_dropped_can_be_made_again = "Twice is as good as once.";

            races::no_schedule_loses_what_was_acknowledged = "Requests in every order of their calls: each acknowledged write is in the last state.";
            races::no_schedule_loses_or_doubles_an_update = "Requests in every order of their calls: a counter counts what was acknowledged.";
            races::no_schedule_brings_an_ended_session_back = "Requests in every order of their calls: after an end nothing is live, and nothing is acknowledged.";
            races::no_schedule_carries_into_a_login_what_came_after_it = "Requests in every order of their calls: the old credential reads and writes nothing after a login.";
            races::no_schedule_gives_a_verifier_two_successors = "Requests in every order of their calls: of rotations from one verifier one is made.";
            races::no_schedule_locks_the_newest_credential_out = "Requests in every order of their calls: what a client was given last opens its session.";
            races::no_schedule_outlives_a_deadline = "Requests in every order of their calls, with deadlines that pass between them.";
        }
    };
}

/// Unpacks the macro that [`__laws`] is to call.
#[doc(hidden)]
#[macro_export]
macro_rules! __call {
    ([__list] $($laws:tt)*) => { __list! { $($laws)* } };
    ([__tests $factory:expr, $depth:expr] $($laws:tt)*) => {
        $crate::__tests! { [$factory] [$depth] $($laws)* }
    };
}

/// A test for each law.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$factory:expr] [$depth:expr] $($module:ident :: $law:ident = $about:literal;)*) => {
        $(
            #[test]
            fn $law() {
                $crate::__private::test(stringify!($law), &$factory, $depth);
            }
        )*
    };
}

/// Makes a test of every law, named by it, for the stores that a factory makes.
///
/// The factory is an `async` function or closure that answers a store which is empty and which
/// nobody else uses: see [`Factory`](crate::Factory). It is called for each law at least once, and
/// the tests run at the same time, each in a runtime of its own: a server may be started once and
/// shared, a connection must be made by the factory. It may panic; the test fails with that.
///
/// ```
/// # mod laws {
/// use sessile_conformance::ModelStore;
///
/// sessile_conformance::store!(|| async { ModelStore::new() });
/// # }
/// ```
///
/// Two stores in one file need a module each, for the tests of both have the same names.
///
/// How many schedules the laws of races go through can be said, as `quick`, `standard` (the
/// default) or `full`: see [`Depth`](crate::Depth). The environment variable `SESSILE_LAWS` has
/// the last word.
///
/// ```
/// # mod laws {
/// # use sessile_conformance::ModelStore;
/// async fn empty() -> ModelStore {
///     ModelStore::new()
/// }
///
/// sessile_conformance::store!(empty, depth = full);
/// # }
/// ```
#[macro_export]
macro_rules! store {
    ($factory:expr $(,)?) => {
        $crate::__laws! { __tests $factory, $crate::Depth::Standard }
    };
    ($factory:expr, depth = quick $(,)?) => {
        $crate::__laws! { __tests $factory, $crate::Depth::Quick }
    };
    ($factory:expr, depth = standard $(,)?) => {
        $crate::__laws! { __tests $factory, $crate::Depth::Standard }
    };
    ($factory:expr, depth = full $(,)?) => {
        $crate::__laws! { __tests $factory, $crate::Depth::Full }
    };
}
