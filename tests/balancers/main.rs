//! Every balancer, as a real process, with the configuration that `cargo xtask balancers` writes.
//!
//! A balancer that is not installed is named, and its tests do nothing.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod client;
mod labelled;
mod laws;
mod nodes;

use laws::Facts;
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
            fn a_session_stays_on_its_node_and_survives_it() {
                nodes::a_session_stays_on_its_node_and_survives_it($proxy);
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
    }
);

balancer!(
    nginx,
    BalancerKind::Nginx,
    Facts {
        saves_writes: true,
        repeats_reads: true,
        spreads: true,
    }
);

balancer!(
    envoy,
    BalancerKind::Envoy,
    Facts {
        saves_writes: true,
        repeats_reads: false,
        spreads: true,
    }
);

balancer!(
    traefik,
    BalancerKind::Traefik,
    Facts {
        saves_writes: false,
        repeats_reads: true,
        spreads: true,
    }
);

balancer!(
    caddy,
    BalancerKind::Caddy,
    Facts {
        saves_writes: true,
        repeats_reads: true,
        spreads: false,
    }
);

#[test]
fn all_nodes_are_restarted_under_load_and_nobody_notices() {
    nodes::all_nodes_are_restarted_under_load_and_nobody_notices(BalancerKind::Haproxy);
}
