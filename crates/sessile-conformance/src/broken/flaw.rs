//! The flaws, and which laws catch each.

macro_rules! flaws {
    ($($flaw:ident = $about:literal breaks [$($law:ident)*];)*) => {
        /// What is wrong with a [`BrokenStore`](super::BrokenStore).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Flaw {
            $(
                #[doc = $about]
                $flaw,
            )*
        }

        impl Flaw {
            /// Every flaw.
            pub const ALL: &[Flaw] = &[$(Flaw::$flaw),*];

            /// What is wrong, in a sentence.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Flaw::$flaw => $about,)*
                }
            }

            /// The names of the laws that the store breaks, and of no other.
            pub const fn breaks(self) -> &'static [&'static str] {
                match self {
                    $(Flaw::$flaw => &[$(stringify!($law)),*],)*
                }
            }
        }
    };
}

flaws! {
    // Create.
    CreatesOverRecords = "A create replaces the record that is there." breaks [
        an_id_that_is_taken_keeps_its_first_record
        of_parallel_creates_of_one_id_exactly_one_wins
    ];
    CreatesOverTombstones = "A create takes no notice of a tombstone." breaks [
        nothing_is_created_over_a_tombstone
        an_end_leaves_a_tombstone_in_place_of_nothing_too
        time_is_what_the_caller_says
    ];
    CreatesInTwoSteps = "A create looks whether the id is free, and inserts later." breaks [
        of_parallel_creates_of_one_id_exactly_one_wins
    ];
    LosesWhatASessionWasMovedWith = "A create keeps no previous verifier." breaks [
        a_new_record_is_kept_as_it_is
        random_patches_do_what_the_reference_does
    ];
    ListsAfterTheCreate = "A session is put into the index after it was made." breaks [
        a_create_that_is_dropped_is_made_whole_or_not_at_all
    ];
    ListsWithADelay = "A session is put into the index when the next one is made." breaks [
        a_clock_that_goes_back_loses_nothing
        subjects_are_told_apart_by_their_bytes
        every_live_session_of_a_subject_is_listed
        what_ended_is_not_listed_as_live
        what_expired_is_not_listed_as_live
        a_revocation_ends_every_login_that_it_finds
        a_login_that_was_made_before_a_revocation_does_not_outlive_it
        a_create_that_is_dropped_is_made_whole_or_not_at_all
    ];
    EvictsBeforeItLooks = "The oldest session is ended before the id of the new one is found taken." breaks [
        a_create_that_finds_its_id_taken_ends_nobody
    ];
    CountsThenCreates = "The cap is checked in one step, the session made in another." breaks [
        a_cap_that_rejects_is_exact_under_parallel_logins
        a_cap_that_evicts_is_exact_under_parallel_logins
    ];
    EvictsTheNewest = "The newest session makes room." breaks [
        a_cap_evicts_the_oldest
    ];
    EvictsOneAtMost = "One session makes room, where more are too many." breaks [
        a_lower_cap_ends_as_many_as_are_too_many
    ];
    CountsExpiredSessions = "What expired and was not swept counts towards the cap." breaks [
        only_live_sessions_of_the_subject_count_towards_a_cap
    ];

    RoundsDeadlines = "Times are kept to fourteen digits." breaks [
        times_are_exact_up_to_their_limit
    ];

    // End.
    LeavesNoTombstone = "An end removes the record, and leaves nothing." breaks [
        nothing_is_created_over_a_tombstone
        an_ended_session_is_told_so_until_its_tombstone_goes
        an_end_leaves_a_tombstone_in_place_of_nothing_too
        time_is_what_the_caller_says
        random_patches_do_what_the_reference_does
    ];
    LeavesNoTombstoneForNothing = "An end of nothing leaves nothing." breaks [
        an_end_leaves_a_tombstone_in_place_of_nothing_too
    ];
    ShortensTombstones = "A later end has its way with the time of a tombstone." breaks [
        a_tombstone_is_never_shortened
    ];
    KeepsTheFirstTombstone = "A later end never has its way with the time of a tombstone." breaks [
        a_later_end_lengthens_a_tombstone
    ];
    EndsNothingWithoutTime = "An end whose time is past is not made." breaks [
        an_end_whose_time_is_past_ends_all_the_same
        random_patches_do_what_the_reference_does
    ];
    ReturnsTheLastStateTwice = "Every end returns the last state." breaks [
        a_second_end_returns_nothing
        random_patches_do_what_the_reference_does
        of_parallel_ends_exactly_one_gets_the_last_state
        no_schedule_brings_an_ended_session_back
    ];
    ReturnsNoLastState = "No end returns the last state." breaks [
        an_end_returns_the_last_state
        an_expired_session_that_ends_is_returned_and_ended
        random_patches_do_what_the_reference_does
        of_parallel_ends_exactly_one_gets_the_last_state
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
        no_schedule_brings_an_ended_session_back
    ];
    ReturnsTheFirstState = "An end returns the record as it was made." breaks [
        an_end_returns_the_last_state
        random_patches_do_what_the_reference_does
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
        no_schedule_carries_into_a_login_what_came_after_it
    ];
    ReturnsNothingExpired = "An end returns no record that is past its deadline." breaks [
        an_expired_session_that_ends_is_returned_and_ended
    ];
    EndsInTwoSteps = "An end reads the last state, and removes it later." breaks [
        of_parallel_ends_exactly_one_gets_the_last_state
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
    ];
    NeverEndsWhatIsEnding = "An end leaves what an earlier one has begun to that one." breaks [
        an_end_that_is_dropped_can_be_made_again
    ];

    // Load.
    LivesAtItsDeadline = "A deadline is taken for the last instant of a session." breaks [
        the_idle_deadline_is_exact
        the_absolute_deadline_is_exact
    ];
    ForgetsTheAbsoluteDeadline = "Only the idle deadline counts." breaks [
        the_absolute_deadline_is_exact
        no_patch_is_applied_at_a_deadline
        random_patches_do_what_the_reference_does
        no_schedule_outlives_a_deadline
    ];
    ForgetsTheIdleDeadline = "Only the absolute deadline counts." breaks [
        the_idle_deadline_is_exact
        no_patch_is_applied_at_a_deadline
        random_patches_do_what_the_reference_does
        no_schedule_outlives_a_deadline
    ];
    SaysAbsentForExpired = "An expired session is told to be absent." breaks [
        a_session_past_a_deadline_is_told_to_be_expired
    ];
    SaysAbsentForEnded = "An ended session is told to be absent." breaks [
        an_ended_session_is_told_so_until_its_tombstone_goes
        random_patches_do_what_the_reference_does
    ];
    AdoptsUnknownIds = "An id that is looked up is made." breaks [
        an_id_that_nobody_made_is_absent_and_not_adopted
    ];
    DistrustsTheCallersClock = "A time that seems wrong is put right." breaks [
        time_is_what_the_caller_says
    ];
    GoesByTheLatestClock = "The latest time that any caller told counts for all." breaks [
        no_patch_is_applied_at_a_deadline
        a_clock_that_goes_back_loses_nothing
    ];

    // Apply: what is there.
    Upserts = "A patch makes the record that is not there." breaks [
        a_patch_never_creates
    ];
    RevivesWhatEnded = "A patch brings an ended session back." breaks [
        an_end_whose_time_is_past_ends_all_the_same
        a_patch_for_an_ended_session_is_gone
        random_patches_do_what_the_reference_does
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
        no_schedule_brings_an_ended_session_back
        no_schedule_locks_the_newest_credential_out
    ];
    PatchesWhatExpired = "A patch that comes after the deadline is applied." breaks [
        no_patch_is_applied_at_a_deadline
        random_patches_do_what_the_reference_does
        no_schedule_outlives_a_deadline
    ];
    WritesOnToTheNextSession = "A patch for an ended session goes to the one made last." breaks [
        no_schedule_loses_or_doubles_an_update
        no_schedule_carries_into_a_login_what_came_after_it
    ];
    SaysAppliedForGone = "That there was nothing to write to is not noticed." breaks [
        a_patch_never_creates
        an_end_whose_time_is_past_ends_all_the_same
        a_patch_for_an_ended_session_is_gone
        no_patch_is_applied_at_a_deadline
        a_patch_for_an_expired_session_is_gone
        random_patches_do_what_the_reference_does
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
        no_schedule_brings_an_ended_session_back
        no_schedule_outlives_a_deadline
    ];

    // Apply: merging.
    WritesWholeRecords = "The writer's whole view is written: the last one wins." breaks [
        writes_from_one_view_merge_by_key
        random_patches_do_what_the_reference_does
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
    ];
    ChecksThenWrites = "The record is read in one step, and written in another." breaks [
        parallel_writes_of_different_keys_all_survive
        parallel_updates_are_exact
        of_parallel_rotations_exactly_one_wins
        what_is_acknowledged_while_a_session_ends_is_in_its_last_state
    ];
    WritesAPartFirst = "A patch of several keys is written in several steps." breaks [
        random_patches_do_what_the_reference_does
        a_patch_that_is_dropped_is_applied_whole_or_not_at_all
    ];
    ClearsNothingUnseen = "A clear removes the keys that its maker had seen." breaks [
        a_clear_removes_keys_that_its_maker_never_saw
        random_patches_do_what_the_reference_does
    ];
    ClearsLast = "A clear removes what the same patch sets." breaks [
        what_is_set_after_a_clear_stays
        random_patches_do_what_the_reference_does
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
    ];
    RemovesNothing = "A removal is not made." breaks [
        a_removal_removes_its_key_and_no_other
        every_write_raises_the_version
        any_key_can_be_removed_alone
        a_session_may_hold_hundreds_of_keys
        random_patches_do_what_the_reference_does
    ];
    KeepsTheFirstValue = "A write of a key that is there is not made." breaks [
        writes_from_one_view_merge_by_key
        of_two_writes_of_one_key_the_later_stays
        expectations_compare_bytes
        random_patches_do_what_the_reference_does
        parallel_writes_of_different_keys_all_survive
    ];
    KeepsTheVersionOfARemoval = "A removal does not raise the version." breaks [
        every_write_raises_the_version
        random_patches_do_what_the_reference_does
    ];
    LeavesTheRecordOut = "No patch answers the record." breaks [
        the_answer_to_a_patch_is_the_record_unless_it_was_the_base
        random_patches_do_what_the_reference_does
        parallel_updates_are_exact
    ];

    // Apply: expecting.
    IgnoresExpectations = "What must still be so is not looked at." breaks [
        an_expectation_that_fails_is_a_conflict
        an_expectation_of_absence_fails_where_there_is_a_value
        an_expectation_of_a_value_fails_where_there_is_none
        an_expectation_alone_is_checked_and_changes_nothing
        expectations_compare_bytes
        random_patches_do_what_the_reference_does
        parallel_updates_are_exact
        no_schedule_loses_or_doubles_an_update
    ];
    IgnoresExpectationsAlone = "What must still be so is not looked at where nothing is written." breaks [
        an_expectation_alone_is_checked_and_changes_nothing
        random_patches_do_what_the_reference_does
    ];
    ExpectsVersions = "Any other write in between is a conflict." breaks [
        expectations_are_of_values_and_not_of_versions
        random_patches_do_what_the_reference_does
    ];
    ComparesNumbers = "Expectations compare numbers, where they are numbers." breaks [
        expectations_compare_bytes
    ];
    TakesNullForAbsence = "Expectations do not tell a value of null from none." breaks [
        an_expectation_of_absence_fails_where_there_is_a_value
        an_expectation_of_a_value_fails_where_there_is_none
    ];
    SaysAppliedForConflict = "That an expectation failed is not noticed." breaks [
        an_expectation_that_fails_is_a_conflict
        an_expectation_of_absence_fails_where_there_is_a_value
        an_expectation_of_a_value_fails_where_there_is_none
        an_expectation_alone_is_checked_and_changes_nothing
        a_record_older_than_the_base_is_a_conflict
        a_verifier_that_is_not_the_current_one_is_not_replaced
        expectations_compare_bytes
        random_patches_do_what_the_reference_does
        parallel_updates_are_exact
        of_parallel_rotations_exactly_one_wins
        no_schedule_loses_or_doubles_an_update
        no_schedule_gives_a_verifier_two_successors
        no_schedule_locks_the_newest_credential_out
    ];
    WritesInSpiteOfAConflict = "A patch that conflicts is written, and told to conflict." breaks [
        a_conflict_changes_nothing
        random_patches_do_what_the_reference_does
        parallel_updates_are_exact
    ];
    BringsAnOldRecord = "A conflict brings the record that its maker knew." breaks [
        a_conflict_brings_the_record_as_it_is
        random_patches_do_what_the_reference_does
        parallel_updates_are_exact
        no_schedule_loses_or_doubles_an_update
        no_schedule_locks_the_newest_credential_out
    ];
    IgnoresTheBase = "A record older than the base is written upon." breaks [
        a_record_older_than_the_base_is_a_conflict
        random_patches_do_what_the_reference_does
    ];
    GoesOnFromTheRecord = "The version goes on from the record's, whatever the base." breaks [
        an_older_record_that_is_accepted_gets_a_version_above_both
        random_patches_do_what_the_reference_does
    ];

    StaysAtTheLastVersion = "What has the last version is written, and keeps it." breaks [
        there_is_no_version_beyond_the_limit
    ];
    RoundsVersions = "Versions are kept to fourteen digits." breaks [
        versions_are_exact_up_to_their_limit
        random_patches_do_what_the_reference_does
    ];

    // Apply: bytes.
    TrimsKeys = "Blanks around a key do not count." breaks [
        keys_come_back_byte_for_byte
        any_key_can_be_removed_alone
    ];
    RoundsNumbers = "Numbers are kept as doubles." breaks [
        values_come_back_byte_for_byte
        expectations_compare_bytes
    ];
    CutsLongPatches = "Of a patch with many keys, the first hundred are written." breaks [
        a_session_may_hold_hundreds_of_keys
    ];
    HasNoLimit = "A session may grow without a limit." breaks [
        what_would_grow_beyond_the_limit_is_too_large_and_changes_nothing
        random_patches_do_what_the_reference_does
    ];
    RefusesTheLimitItself = "A session that is as large as the limit is too large." breaks [
        a_session_may_hold_exactly_its_limit
    ];
    WritesWhatStillFits = "Of a patch that is too large, the small keys are written." breaks [
        what_would_grow_beyond_the_limit_is_too_large_and_changes_nothing
        random_patches_do_what_the_reference_does
    ];
    NeverShrinks = "What is too large already is too large for a removal." breaks [
        one_that_is_too_large_already_may_shrink
    ];

    // Apply: touching.
    RaisesTheVersionByATouch = "A touch raises the version." breaks [
        a_touch_does_not_raise_the_version
        random_patches_do_what_the_reference_does
    ];
    TouchesBackwards = "A touch that comes late moves the deadline back." breaks [
        a_touch_never_moves_a_deadline_back
        random_patches_do_what_the_reference_does
    ];
    TouchesWithTheDefault = "A touch counts with the default idle time." breaks [
        a_lifetime_of_its_own_survives_touches
        random_patches_do_what_the_reference_does
    ];
    TouchesTheAbsoluteDeadline = "A touch moves the absolute deadline too." breaks [
        a_touch_never_moves_the_absolute_deadline
        random_patches_do_what_the_reference_does
    ];
    TouchesNothing = "A touch is not written down." breaks [
        a_touch_moves_the_idle_deadline
        random_patches_do_what_the_reference_does
    ];
    RewritesTheDataByATouch = "A touch writes the data that its maker had seen." breaks [
        a_touch_changes_nothing_but_the_time_of_use
        random_patches_do_what_the_reference_does
        no_schedule_loses_what_was_acknowledged
        no_schedule_loses_or_doubles_an_update
    ];
    CountsLifetimesFromNow = "A lifetime's absolute part counts from now." breaks [
        a_lifetime_counts_from_the_creation_and_from_now
        random_patches_do_what_the_reference_does
    ];

    // Apply: rotating.
    ReplacesAnyVerifier = "A rotation is made whatever the verifier is." breaks [
        a_verifier_that_is_not_the_current_one_is_not_replaced
        random_patches_do_what_the_reference_does
        of_parallel_rotations_exactly_one_wins
        no_schedule_gives_a_verifier_two_successors
    ];
    ForgetsThePreviousVerifier = "A rotation keeps no previous verifier." breaks [
        a_live_session_takes_every_patch
        a_rotation_keeps_the_previous_verifier_with_its_successor
        random_patches_do_what_the_reference_does
        no_schedule_locks_the_newest_credential_out
    ];
    WrapsNothing = "A rotation does not keep the successor." breaks [
        a_rotation_keeps_the_previous_verifier_with_its_successor
        random_patches_do_what_the_reference_does
        no_schedule_locks_the_newest_credential_out
    ];
    ConfirmsAgain = "Each confirmation moves the end of the grace." breaks [
        a_confirmation_ends_the_grace_once
        random_patches_do_what_the_reference_does
    ];
    MakesAPreviousVerifierUp = "A confirmation makes a previous verifier where there is none." breaks [
        a_confirmation_without_a_previous_verifier_does_nothing
        random_patches_do_what_the_reference_does
    ];
    KeepsTheVersionOfARotation = "A rotation does not raise the version." breaks [
        a_rotation_replaces_the_verifier
        random_patches_do_what_the_reference_does
    ];
    RenewsWithoutTheData = "What is written in the patch of a rotation is lost." breaks [
        a_rotation_loses_no_data
        random_patches_do_what_the_reference_does
    ];

    // List, count, sweep.
    ListsNoRenewedSession = "A session that was renewed is listed no more." breaks [
        every_live_session_of_a_subject_is_listed
    ];
    ListsTheFirstState = "A list brings records as they were made." breaks [
        every_live_session_of_a_subject_is_listed
    ];
    ListsEverybodys = "A list has the sessions of every subject." breaks [
        subjects_are_told_apart_by_their_bytes
        nobody_elses_session_is_listed
    ];
    ListsWhatEnded = "A list has ended sessions as live ones." breaks [
        what_ended_is_not_listed_as_live
    ];
    ListsWhatExpired = "A list has expired sessions as live ones." breaks [
        what_expired_is_not_listed_as_live
    ];
    ListsByItsOwnClock = "A list has nothing that has expired by its caller's clock." breaks [
        what_a_slower_clock_still_serves_is_listed
    ];
    FoldsSubjects = "Case and blanks of a subject do not count." breaks [
        subjects_are_told_apart_by_their_bytes
    ];
    CountsWhatEnded = "The count is that of all that is kept." breaks [
        the_count_is_that_of_the_live_sessions
    ];
    SweepsWhatWasUsedSince = "A sweep goes by the deadline that a session was made with." breaks [
        a_sweep_takes_nothing_that_is_live
    ];
    SweepsTombstones = "A sweep takes every tombstone." breaks [
        a_sweep_takes_no_tombstone_before_its_time
    ];
    SweepsBeyondItsLimit = "A sweep has no limit." breaks [
        a_sweep_keeps_to_its_limit_and_comes_to_an_end
    ];
}
