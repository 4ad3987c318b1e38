//! One configuration for every strategy: what each comes to when it serves.

use std::time::Duration;

use axum::Router;
use sessile::{Registry, Revocation, Scope, Writes};

use crate::build::{app, visit};
use crate::{problems, read};

const KEYS: &str =
    "keys.current = { id = \"k\", value = \"BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg\" }";

/// Every section that there is; only the word is missing.
#[cfg(feature = "token")]
const ALL: &str = r#"
    [lifetime]
    idle = "20m"
    [keys]
    current = { id = "2026-11", value = "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg" }
    [sticky]
    node = "n1"
    backing = "memory:"
    revalidate = "1s"
    misrouted = ["adopt", "fail"]
    capacity = 1000
    [stored]
    url = "memory:"
    [token]
    issuer = "https://app.example"
    audience = "https://app.example"
    life = "10m"
    revocation = { url = "memory:", within = "0s" }
    [token.keys]
    sign = { kid = "2026-11", alg = "HS256", value = "EBESExQVFhcYGRobHB0eHwABAgMEBQYHCAkKCwwNDg8" }
"#;

async fn built(text: &str) -> Router {
    let config = read(text).unwrap();
    config.check().unwrap();
    app(config.build().await.unwrap())
}

#[cfg(feature = "token")]
#[tokio::test]
async fn the_word_is_all_that_changes_and_each_of_them_serves() {
    for (word, form) in [("sticky", "n1."), ("stored", ""), ("token", "eyJ")] {
        let app = built(&format!("strategy = {word:?}\n{ALL}")).await;
        let (arrival, cookie) = visit(&app, None).await;
        let cookie = cookie.unwrap();
        assert_eq!(arrival, "new", "{word}");
        assert!(
            cookie.starts_with(&format!("__Host-sid={form}")),
            "{cookie}"
        );
        assert_eq!(visit(&app, Some(&cookie)).await.0, "resumed", "{word}");
        // In the middle is what the client proves itself by.
        let (before, after) = cookie.split_at(cookie.len() / 2);
        let other = if after.starts_with('A') { "B" } else { "A" };
        let forged = [before, other, &after[1..]].concat();
        assert_ne!(visit(&app, Some(&forged)).await.0, "resumed", "{word}");
    }
}

#[tokio::test]
async fn a_node_has_its_label_and_knows_what_others_made() {
    let (one, two) = (built_node("n1").await, built_node("n2").await);
    let (_, cookie) = visit(&one, None).await;
    let cookie = cookie.unwrap();
    assert!(cookie.starts_with("__Host-sid=n1."), "{cookie}");
    assert_eq!(visit(&one, Some(&cookie)).await.0, "resumed");
    // Neither peers nor a store: the node refuses, and does not make an empty session.
    assert_eq!(visit(&two, Some(&cookie)).await.0, "", "421 has no body");
}

async fn built_node(label: &str) -> Router {
    built(&format!(
        "strategy = \"sticky\"\nsticky.node = {label:?}\n{KEYS}"
    ))
    .await
}

#[tokio::test]
async fn nodes_before_one_store_adopt_each_others_sessions() {
    let store = sessile::MemoryStore::default();
    let shared = std::sync::Arc::new(store);
    let registry = Registry::new().register("mine", move |_| {
        let shared = shared.clone();
        async move { Ok(shared) }
    });
    let mut nodes = Vec::new();
    for label in ["n1", "n2"] {
        let text = format!(
            "strategy = \"sticky\"\nsticky.node = {label:?}\nsticky.backing = \"mine:\"\n{KEYS}"
        );
        let config = read(&text).unwrap();
        config.check_with(&registry).unwrap();
        nodes.push(app(config.build_with(&registry).await.unwrap()));
    }
    let (_, cookie) = visit(&nodes[0], None).await;
    let (arrival, moved) = visit(&nodes[1], cookie.as_deref()).await;
    assert_eq!(arrival, "resumed");
    assert!(moved.unwrap().starts_with("__Host-sid=n2."));
}

#[tokio::test]
async fn the_settings_of_a_node_arrive_at_its_guarantees() {
    let promised = |more: &str| {
        let text = format!(
            "strategy = \"sticky\"\n{KEYS}\n[sticky]\nnode = \"n1\"\nbacking = \"memory:\"\n{more}"
        );
        async move {
            let layer = read(&text).unwrap().build().await.unwrap();
            layer.sessions().guarantees()
        }
    };
    let usual = promised("").await;
    let five = Revocation::Within(Duration::from_secs(5));
    assert_eq!(usual.revocation, five);
    let asks = promised("revalidate = \"0s\"").await;
    assert_eq!(asks.revocation, Revocation::Immediate);
    let refuses = promised("misrouted = [\"fail\"]").await;
    assert!(!refuses.any_node);
}

#[cfg(feature = "forward")]
#[tokio::test]
async fn a_node_with_peers_has_a_layer_that_forwards() {
    for (more, forwards) in [
        ("sticky.peers = \"http://{node}.app:8080\"", true),
        ("sticky.peers = { n2 = \"http://10.0.0.2:8080\" }", true),
        ("", false),
    ] {
        let text = format!("strategy = \"sticky\"\nsticky.node = \"n1\"\n{KEYS}\n{more}");
        let config = read(&text).unwrap();
        config.check().unwrap();
        let layer = config.build().await.unwrap();
        assert_eq!(layer.forwarding().is_some(), forwards, "{more}");
    }
}

#[cfg(not(feature = "forward"))]
#[test]
fn peers_that_this_build_can_not_ask_name_the_feature() {
    let text = format!(
        "strategy = \"sticky\"\nsticky.node = \"n1\"\nsticky.peers = \"http://{{node}}.app\"\n{KEYS}"
    );
    let problems = problems(read(&text).unwrap().check());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("enable the feature `forward`"));
}

#[cfg(feature = "token")]
mod tokens {
    use super::*;

    const SIGNED: &str = "strategy = \"token\"\n[token]\nissuer = \"i\"\naudience = \"a\"\n";
    const SECRET: &str = "EBESExQVFhcYGRobHB0eHwABAgMEBQYHCAkKCwwNDg8";

    #[tokio::test]
    async fn a_token_is_signed_or_sealed_as_the_format_says() {
        for (format, alg) in [("signed", "HS256"), ("sealed", "A256GCM")] {
            let app = built(&format!(
                "{SIGNED}format = {format:?}\nkeys.sign = {{ kid = \"k\", alg = {alg:?}, value = {SECRET:?} }}"
            ))
            .await;
            let (_, cookie) = visit(&app, None).await;
            let cookie = cookie.unwrap();
            let dots = cookie.matches('.').count();
            assert_eq!(dots, if format == "sealed" { 4 } else { 2 }, "{cookie}");
            assert_eq!(visit(&app, Some(&cookie)).await.0, "resumed");
        }
    }

    #[tokio::test]
    async fn tokens_are_remembered_unless_the_file_says_0() {
        for (more, shown) in [
            ("", "most: 1024 }"),
            ("remember = 2048", "most: 2048 }"),
            ("remember = 0", "remembered: None"),
        ] {
            let key = format!("keys.sign = {{ kid = \"k\", alg = \"HS256\", value = {SECRET:?} }}");
            let config = read(&format!("{SIGNED}{more}\n{key}")).unwrap();
            let layer = format!("{:?}", config.build().await.unwrap());
            assert!(layer.contains(shown), "{layer}");
        }
    }

    #[tokio::test]
    async fn a_key_that_only_verifies_opens_what_it_had_signed() {
        let old = format!("{{ kid = \"old\", alg = \"HS256\", value = {SECRET:?} }}");
        let new = "{ kid = \"new\", alg = \"HS512\", value = \"BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRhBwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg=\" }";
        let before = built(&format!("{SIGNED}keys.sign = {old}")).await;
        let (_, cookie) = visit(&before, None).await;
        let after = built(&format!(
            "{SIGNED}keys = {{ sign = {new}, verify = [{old}] }}"
        ))
        .await;
        assert_eq!(visit(&after, cookie.as_deref()).await.0, "resumed");
        let stranger = built(&format!("{SIGNED}keys.sign = {new}")).await;
        assert_eq!(visit(&stranger, cookie.as_deref()).await.0, "unknown");
    }

    #[tokio::test]
    async fn revocation_by_a_store_of_ones_own_arrives_at_the_guarantees() {
        let key = format!("keys.sign = {{ kid = \"k\", alg = \"HS256\", value = {SECRET:?} }}");
        let registry =
            Registry::new().register("mine", |_| async { Ok(sessile::MemoryStore::default()) });
        let promised = |more: &str| {
            let config = read(&format!("{SIGNED}{key}\n{more}")).unwrap();
            let registry = registry.clone();
            async move {
                config.check_with(&registry).unwrap();
                let layer = config.build_with(&registry).await.unwrap();
                layer.sessions().guarantees()
            }
        };
        let alone = promised("").await;
        assert_eq!(alone.revocation, Revocation::AtExpiry);
        assert_eq!(alone.writes, Writes::LastResponseWins);
        let kept = promised("revocation = { url = \"mine:\", within = \"2s\" }").await;
        assert_eq!(kept.revocation, Revocation::Within(Duration::from_secs(2)));
        assert_eq!(kept.scope, Scope::ThisNode, "as far as its store");
    }

    #[test]
    fn what_tokens_never_promise_is_told_by_the_check() {
        let config = read(&format!(
            "{SIGNED}keys.sign = {{ kid = \"k\", alg = \"HS256\", value = {SECRET:?} }}\nrevocation = {{ url = \"postgres://127.0.0.1:1/none\", within = \"10s\" }}\n[require]\nwrites = \"merged\"\nrevocation = \"5s\"\nscope = \"all_nodes\""
        ));
        let problems: Vec<_> = problems(config.unwrap().check());
        let told: Vec<_> = problems
            .iter()
            .filter(|problem| problem.starts_with("require."))
            .collect();
        assert!(told.len() == 2, "{problems:?}");
        assert!(told[0].starts_with("require.revocation: ") && told[0].contains("\"10s\""));
        assert!(told[1].starts_with("require.writes: "));
    }

    #[tokio::test]
    async fn keys_in_files_are_read_again_when_they_change() {
        let path = std::env::temp_dir().join(format!("sessile-config-live-{}", std::process::id()));
        std::fs::write(&path, format!("{SECRET}\n")).unwrap();
        let key = format!("keys.sign = {{ kid = \"k\", alg = \"HS256\", file = {path:?} }}");
        let config = read(&format!("{SIGNED}{key}")).unwrap();
        let layer = config.build().await.unwrap();
        let app = app(layer.clone());
        let (_, cookie) = visit(&app, None).await;
        assert_eq!(visit(&app, cookie.as_deref()).await.0, "resumed");
        std::fs::write(&path, "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg=\n\n").unwrap();
        tokio::time::pause();
        let mut arrival = String::new();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            arrival = visit(&app, cookie.as_deref()).await.0;
            if arrival == "unknown" {
                break;
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(arrival, "unknown", "the key that made it is gone");
    }
}
