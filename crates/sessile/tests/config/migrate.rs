//! `[migrate]`: one file for each phase, and the same cookie jar through all of them.

use std::sync::Arc;

use axum::Router;
use sessile::{MemoryStore, Registry, Store};

use crate::build::{app, visit};
use crate::read;

const SECTIONS: &str = r#"
    [keys]
    current = { id = "now", value = "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg" }
    previous = [{ id = "2026-11", value = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8" }]
    [sticky]
    node = "n1"
    backing = "shared:sticky"
    [stored]
    url = "shared:stored"
    [token]
    issuer = "https://app.example"
    audience = "https://app.example"
    revocation = { url = "shared:token", within = "0s" }
    [token.keys]
    sign = { kid = "2026-11", alg = "HS256", value = "EBESExQVFhcYGRobHB0eHwABAgMEBQYHCAkKCwwNDg8" }
"#;

/// Stores that every start of the service finds again.
fn registry() -> Registry {
    let stores = ["sticky", "stored", "token", "other"]
        .map(|name| (name, Arc::new(MemoryStore::default()) as Arc<dyn Store>));
    Registry::new().register("shared", move |url: String| {
        let name = url.trim_start_matches("shared:").to_owned();
        let store = stores.iter().find(|(known, _)| **known == name);
        let store = store.map(|(_, store)| store.clone()).unwrap();
        async move { Ok(store) }
    })
}

async fn start(head: &str, sections: &str, registry: &Registry) -> Router {
    let config = read(&format!("{head}\n{sections}")).unwrap();
    config.check_with(registry).unwrap();
    app(config.build_with(registry).await.unwrap())
}

async fn moves(from: &str, to: &str, left: &str, sections: (&str, &str)) {
    let registry = registry();
    let mut cookie = None;
    let before = format!("strategy = {from:?}");
    let phase = |phase: &str| {
        format!(
            "strategy = {to:?}\nmigrate = {{ from = {{ {left} }}, key = \"2026-11\", phase = {phase:?} }}"
        )
    };
    let heads = [
        (before.clone(), sections.0),
        (phase("accept"), sections.1),
        (phase("issue"), sections.1),
        (phase("refuse"), sections.1),
        (format!("strategy = {to:?}"), sections.1),
    ];
    for (at, (head, sections)) in heads.iter().enumerate() {
        let app = start(head, sections, &registry).await;
        for visited in 0..2 {
            let (arrival, set) = visit(&app, cookie.as_deref()).await;
            let expected = if at + visited == 0 { "new" } else { "resumed" };
            assert_eq!(arrival, expected, "{from} to {to}: {head}");
            cookie = set.or(cookie);
        }
    }
}

#[tokio::test]
async fn a_jar_stays_logged_in_through_every_phase_of_every_ordered_pair() {
    for from in ["sticky", "stored", "token"] {
        for to in ["sticky", "stored", "token"] {
            if from != to {
                let left = format!("strategy = {from:?}");
                moves(from, to, &left, (SECTIONS, SECTIONS)).await;
            }
        }
    }
}

#[tokio::test]
async fn a_store_is_left_for_another_store() {
    for (word, other) in [
        ("stored", SECTIONS.replace("shared:stored", "shared:other")),
        ("sticky", SECTIONS.replace("shared:sticky", "shared:other")),
    ] {
        let left = format!("strategy = {word:?}, url = \"shared:{word}\"");
        moves(word, word, &left, (SECTIONS, &other)).await;
    }
}

#[tokio::test]
async fn sessions_of_before_there_were_keys_are_moved_too() {
    let (_, rest) = SECTIONS.split_once("[sticky]").unwrap();
    let without =
        format!("[sticky]{rest}").replace("node = \"n1\"\n    backing = \"shared:sticky\"", "");
    moves(
        "stored",
        "token",
        "strategy = \"stored\"",
        (&without, SECTIONS),
    )
    .await;
}

#[test]
fn a_url_is_for_what_is_in_a_store() {
    let head = "strategy = \"stored\"\nmigrate = { from = { strategy = \"token\", url = \"redis://h\" }, key = \"now\", phase = \"issue\" }";
    let error = read(&format!("{head}\n{SECTIONS}")).unwrap_err();
    assert!(error.to_string().contains("migrate.from.url"), "{error}");
}
