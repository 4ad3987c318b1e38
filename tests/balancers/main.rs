//! Every balancer, as a real process, with the configuration that `cargo xtask balancers` writes.
//!
//! A balancer that is not installed is named, and its tests do nothing.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod client;
mod labelled;
mod laws;
mod nodes;
mod streams;

use laws::{Facts, SentTo};
use nodes::Operator;
use sessile_e2e::BalancerKind;

macro_rules! balancer {
    ($name:ident, $proxy:expr, $facts:expr) => {
        mod $name {
            use super::*;

            const FACTS: Facts = $facts;

            #[test]
            fn a_client_stays_on_its_node_over_a_thousand_requests() {
                laws::a_client_stays_on_its_node_over_a_thousand_requests($proxy);
            }

            #[test]
            fn what_is_no_nodes_label_is_balanced_over_all() {
                laws::what_is_no_nodes_label_is_balanced_over_all($proxy);
            }

            #[test]
            fn who_has_lost_its_node_is_answered_elsewhere() {
                laws::who_has_lost_its_node_is_answered_elsewhere($proxy, &FACTS);
            }

            #[test]
            fn a_write_that_was_under_way_is_not_sent_again() {
                laws::a_write_that_was_under_way_is_not_sent_again($proxy, &FACTS);
            }

            #[test]
            fn an_unready_node_is_sent_to_as_told() {
                laws::an_unready_node_is_sent_to_as_told($proxy, &FACTS);
            }

            #[test]
            fn sockets_and_events_go_to_the_right_node_at_once() {
                laws::sockets_and_events_go_to_the_right_node_at_once($proxy);
            }

            #[test]
            fn a_client_stays_on_its_real_node_over_a_thousand_requests() {
                nodes::a_client_stays_on_its_node_over_a_thousand_requests($proxy);
            }

            #[test]
            fn what_no_node_has_made_is_balanced_and_answered_as_a_strangers() {
                nodes::what_no_node_has_made_is_balanced_and_answered_as_a_strangers($proxy);
            }

            #[test]
            fn a_session_stays_on_its_node_and_survives_it() {
                nodes::a_session_stays_on_its_node_and_survives_it($proxy);
            }

            #[test]
            fn all_nodes_are_restarted_under_load_and_no_session_is_lost() {
                nodes::all_nodes_are_restarted_under_load_and_no_session_is_lost(
                    $proxy,
                    Operator::Stops,
                    FACTS.restart_errors,
                );
            }
        }
    };
}

balancer!(
    haproxy,
    BalancerKind::Haproxy,
    Facts {
        saves_writes: true,
        repeats_reads: false,
        spreads: true,
        unready: SentTo::Nobody,
        not_found: SentTo::ItsOwn,
        restart_errors: 10,
    }
);

balancer!(
    nginx,
    BalancerKind::Nginx,
    Facts {
        saves_writes: true,
        repeats_reads: true,
        spreads: true,
        unready: SentTo::All,
        not_found: SentTo::All,
        restart_errors: 2,
    }
);

balancer!(
    envoy,
    BalancerKind::Envoy,
    Facts {
        saves_writes: true,
        repeats_reads: false,
        spreads: true,
        unready: SentTo::ItsOwn,
        not_found: SentTo::ItsOwn,
        restart_errors: 100,
    }
);

balancer!(
    traefik,
    BalancerKind::Traefik,
    Facts {
        saves_writes: false,
        repeats_reads: true,
        spreads: true,
        unready: SentTo::Nobody,
        not_found: SentTo::Nobody,
        restart_errors: 400,
    }
);

balancer!(
    caddy,
    BalancerKind::Caddy,
    Facts {
        saves_writes: true,
        repeats_reads: true,
        spreads: false,
        unready: SentTo::Nobody,
        not_found: SentTo::Nobody,
        restart_errors: 2,
    }
);

/// What the others send new clients to meanwhile is answered without this as well.
#[test]
fn nodes_that_are_unready_for_a_while_before_they_stop_are_restarted_without_an_error() {
    for proxy in [
        BalancerKind::Haproxy,
        BalancerKind::Envoy,
        BalancerKind::Traefik,
    ] {
        let operator = Operator::WaitsUntilItIsUnready;
        nodes::all_nodes_are_restarted_under_load_and_no_session_is_lost(proxy, operator, 0);
    }
}
