//! The laws, in the order of the page.

mod deadlines;
mod endings;
mod nodes;
mod parallel;
mod values;

pub(crate) use parallel::at_once;

use crate::law::Law;
use crate::law::Need::{AnyNode, Durability, Merging, Revocation, Scope};
use crate::walk;

macro_rules! laws {
    ($($module:ident::$name:ident $([$($need:ident),*])?;)*) => {
        pub(crate) const ALL: &[Law] = &[$(Law {
            name: stringify!($name),
            needs: &[$($($need),*)?],
            check: $module::$name,
        }),*];
    };
}

laws! {
    values::values_come_back_as_they_were_written;
    values::every_kind_of_change_is_kept;
    values::who_writes_nothing_has_no_session;
    values::a_read_sets_no_cookie;
    values::a_value_too_large_is_refused_and_harms_nothing;
    values::any_status_commits_and_a_panic_does_not;
    endings::an_invented_credential_is_not_adopted;
    endings::a_write_after_a_logout_in_one_request_is_a_new_session;
    endings::renew_write_logout_write_is_a_new_session_with_the_last_write;
    endings::a_login_is_a_new_session_that_inherits_the_data;
    endings::a_login_over_another_user_shows_nothing_of_theirs;
    endings::a_login_and_a_logout_hold_whatever_the_status;
    endings::a_renew_keeps_session_and_data_whatever_the_status;
    endings::nothing_planted_before_a_login_survives_it [Revocation];
    endings::a_logout_ends_every_copy_of_the_credential [Revocation];
    endings::a_subject_lists_and_revokes_its_sessions [Revocation];
    parallel::disjoint_writes_at_once_all_survive [Merging];
    parallel::updates_at_once_are_exact [Merging];
    parallel::of_all_who_take_one_gets_it [Merging];
    parallel::renews_at_once_lock_nobody_out;
    parallel::a_slow_request_does_not_undo_a_logout [Revocation];
    parallel::a_slow_request_does_not_overwrite_a_newer_login [Revocation];
    nodes::another_node_goes_on_where_this_one_was [AnyNode];
    nodes::a_logout_holds_on_every_node [AnyNode, Scope, Revocation];
    nodes::a_revocation_reaches_every_node [AnyNode, Scope, Revocation];
    nodes::what_was_acknowledged_outlives_the_process [Durability];
    deadlines::the_absolute_deadline_holds;
    deadlines::the_idle_deadline_holds;
    walk::five_hundred_random_operations_agree_with_a_plain_model;
}
