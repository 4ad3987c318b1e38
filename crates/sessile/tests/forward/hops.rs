//! Who answers what: own, foreign, forged, and round in a circle.

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use sessile::Session;

use crate::cluster::Plan;
use crate::labelled::Next;
use crate::wire::{ask, body, credential, status};

/// `GET /` counts the visits of the session, and says where, and whether it saw a hop.
pub(crate) fn visits(node: &'static str) -> Router {
    let visit = async move |headers: HeaderMap, session: Session| {
        let count = |n: &mut u64| {
            *n += 1;
            *n
        };
        let n = session.update_now("n", count).await?;
        let hop = headers.contains_key("sessile-hop");
        Ok::<_, sessile::Error>(format!("{node} {n} {hop}"))
    };
    let renew = async |session: Session| session.renew();
    let ignore = async move || node;
    Router::new()
        .route("/", get(visit))
        .route("/renew", get(renew))
        .route("/ignore", get(ignore))
}

#[tokio::test]
async fn a_foreign_session_is_served_by_its_owner_and_an_own_one_here_without_a_signature() {
    let [n1, n2] = Plan::new(visits).two().await;
    let first = ask(n2.address, "GET /", "").await;
    assert_eq!(body(&first), "n2 1 false");
    let cookie = credential(&first);
    assert!(cookie.starts_with("n2."));
    let head = format!("GET /\ncookie: __Host-sid={cookie}");
    assert_eq!(body(&ask(n1.address, &head, "").await), "n2 2 false");
    assert_eq!((n1.requests(), n1.labelled.checks()), (0, 1));
    assert_eq!((n1.labelled.opens(), n2.labelled.opens()), (0, 1));
    let here = ask(n2.address, &head, "").await;
    assert_eq!(body(&here), "n2 3 false");
    // The two that it served were opened, and no owner was looked for.
    assert_eq!(n2.labelled.checks(), 2);
}

#[tokio::test]
async fn the_owners_cookie_comes_through_as_it_is_and_the_layer_here_adds_nothing() {
    let [n1, n2] = Plan::new(visits).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let head = format!("GET /renew\ncookie: __Host-sid={}", credential(&first));
    let renewed = ask(n1.address, &head, "").await;
    assert_ne!(credential(&renewed), credential(&first));
    assert!(credential(&renewed).starts_with("n2."));
    assert_eq!(renewed.matches("set-cookie").count(), 1);
    assert_eq!(renewed.matches("vary").count(), 1);
    let head = format!("GET /\ncookie: __Host-sid={}", credential(&renewed));
    assert_eq!(body(&ask(n1.address, &head, "").await), "n2 2 false");
}

#[tokio::test]
async fn a_forged_label_costs_one_signature_and_no_connection() {
    let [n1, n2] = Plan::new(visits).two().await;
    let forged = n1
        .labelled
        .credential_of("n2")
        .replace("nothing", "something");
    let head = format!("GET /ignore\ncookie: __Host-sid={forged}");
    assert_eq!(body(&ask(n1.address, &head, "").await), "n1");
    assert_eq!((n1.labelled.checks(), n2.connections()), (1, 0));
    for garbage in [
        "",
        "n2",
        "n2.",
        "n2..",
        "n2.x.y",
        "127.0.0.1:80.x.y",
        "0.x.y",
    ] {
        let head = format!("GET /\ncookie: __Host-sid={garbage}");
        assert_eq!(body(&ask(n1.address, &head, "").await), "n1 1 false");
    }
    assert_eq!(n2.connections(), 0);
}

#[tokio::test]
async fn a_label_that_no_peer_has_is_answered_here() {
    let [n1, n2] = Plan::new(visits).two().await;
    for label in ["n3", "0"] {
        let cookie = n1.labelled.credential_of(label);
        let head = format!("GET /\ncookie: __Host-sid={cookie}");
        assert_eq!(status(&ask(n1.address, &head, "").await), 421);
    }
    assert_eq!(n2.connections(), 0);
}

#[tokio::test]
async fn a_hop_header_from_outside_changes_nothing_and_is_not_seen_within() {
    let [n1, n2] = Plan::new(visits).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let cookie = credential(&first);
    for (n, hop) in ["n1.99999999999.AAAAAAAAAAAAAAAAAAAAAA", "", "x"]
        .iter()
        .enumerate()
    {
        let head = format!("GET /\nsessile-hop: {hop}\ncookie: __Host-sid={cookie}");
        let answer = ask(n1.address, &head, "").await;
        assert_eq!(
            body(&answer),
            format!("n2 {} false", n + 2),
            "it was sent on all the same"
        );
    }
    let anonymous = ask(n1.address, "GET /\nsessile-hop: a\nsessile-hop: b", "").await;
    assert_eq!(body(&anonymous), "n1 1 false");
}

#[tokio::test]
async fn nodes_that_each_take_the_other_for_the_owner_end_after_one_hop() {
    // Each starts alone, so that each can have the other as its n3.
    let outer = crate::cluster::listener().await;
    let at = outer.local_addr().unwrap();
    let mut plan = Plan::new(visits);
    plan.also = vec![("n3", at)];
    let inner = plan.one().await;
    let mut plan = Plan::new(visits);
    plan.also = vec![("n3", inner.address)];
    let outer = plan.on("n2", outer);
    let cookie = inner.labelled.credential_of("n3");
    let head = format!("GET /\ncookie: __Host-sid={cookie}");
    assert_eq!(status(&ask(outer.address, &head, "").await), 421);
    assert_eq!((outer.requests(), inner.requests()), (0, 1));
    assert_eq!((outer.connections(), inner.connections()), (1, 1));
}

#[tokio::test]
async fn a_circle_ends_where_it_began_when_the_next_answer_is_to_adopt() {
    let outer = crate::cluster::listener().await;
    let mut plan = Plan::new(visits);
    (plan.next, plan.also) = (Next::Adopt, vec![("n3", outer.local_addr().unwrap())]);
    let inner = plan.one().await;
    let mut plan = Plan::new(visits);
    (plan.next, plan.also) = (Next::Adopt, vec![("n3", inner.address)]);
    let outer = plan.on("n2", outer);
    let cookie = inner.labelled.credential_of("n3");
    let answer = ask(
        outer.address,
        &format!("GET /\ncookie: __Host-sid={cookie}"),
        "",
    )
    .await;
    assert_eq!(body(&answer), "n1 1 false");
}
