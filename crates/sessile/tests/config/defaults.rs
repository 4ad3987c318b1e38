//! A key that is left out means what the builder means.

use sessile::{SessionLayer, Sticky};

use crate::read;

/// Every default, from the schema, written out.
fn written_out() -> serde_json::Value {
    let schema = serde_json::to_value(sessile::SessionConfig::json_schema()).unwrap();
    let mut config = defaults(&schema);
    config["strategy"] = "sticky".into();
    config
}

fn defaults(schema: &serde_json::Value) -> serde_json::Value {
    let mut table = serde_json::Map::new();
    for (key, schema) in schema["properties"].as_object().unwrap() {
        // A revocation that is there names its store.
        if schema.get("properties").is_some() && schema.get("required").is_none() {
            table.insert(key.clone(), defaults(schema));
        } else if let Some(default) = schema.get("default") {
            table.insert(key.clone(), default.clone());
        }
    }
    table.into()
}

/// Without the random key of each.
fn shown(layer: &SessionLayer) -> String {
    let shown = format!("{layer:?}");
    let (head, rest) = shown.split_once("Sticky {").unwrap();
    let (_, tail) = rest.split_once("cookie: ").unwrap();
    format!("{head} {tail} {}", layer.sessions().guarantees())
}

#[tokio::test]
async fn each_default_is_the_builders() {
    let builder = SessionLayer::new(Sticky::new());
    let mut config = written_out();
    // It has no effect where there is no backing store, and is refused.
    assert_eq!(config["sticky"]["revalidate"], "5s");
    config["sticky"]
        .as_object_mut()
        .unwrap()
        .remove("revalidate");
    for (section, count) in [("lifetime", 2), ("cookie", 8), ("sticky", 1), ("token", 3)] {
        assert_eq!(
            config[section].as_object().unwrap().len(),
            count,
            "{section}"
        );
    }
    let explicit = sessile::SessionConfig::read(config)
        .unwrap()
        .build()
        .await
        .unwrap();
    let bare = read("strategy = \"sticky\"")
        .unwrap()
        .build()
        .await
        .unwrap();
    assert_eq!(shown(&explicit), shown(&builder));
    assert_eq!(shown(&bare), shown(&builder));
    let other = read("strategy = \"sticky\"\nlifetime.idle = \"31m\"").unwrap();
    assert_ne!(shown(&other.build().await.unwrap()), shown(&builder));
}

#[tokio::test]
async fn each_key_of_the_cookie_and_of_lifetime_arrives() {
    for (line, seen) in [
        ("lifetime.idle = \"7m\"", "idle: 420s"),
        ("lifetime.absolute = \"7h\"", "absolute: 25200s"),
        ("cookie.name = \"__Host-a\"", "__Host-a"),
        ("cookie.same_site = \"strict\"", "Strict"),
        ("cookie.same_site = \"none\"", "SameSite=None"),
        ("cookie = { name = \"a\", path = \"/a\" }", "Path=/a"),
        (
            "cookie = { name = \"__Secure-a\", domain = \"example.org\" }",
            "Domain=example.org",
        ),
        ("cookie.http_only = false", "http_only: false"),
        ("cookie.partitioned = true", "Partitioned"),
        ("cookie.persistent = true", "persistent: true"),
        ("cookie.insecure_dev = true", "name: \"sid\""),
    ] {
        let layer = read(&format!("strategy = \"sticky\"\n{line}"))
            .unwrap()
            .build()
            .await
            .unwrap();
        let shown = format!("{layer:?}");
        assert!(shown.contains(seen), "{seen} in {shown}");
    }
}

#[tokio::test]
async fn capacity_and_keys_arrive_at_the_table_and_the_signer() {
    // The layer does not tell its table's bounds, so it is filled.
    let layer = read("strategy = \"sticky\"\nsticky.capacity = 2")
        .unwrap()
        .build()
        .await
        .unwrap();
    let app = crate::build::app(layer.clone());
    for _ in 0..5 {
        crate::build::visit(&app, None).await;
    }
    assert_eq!(layer.sessions().count().await.unwrap(), Some(2));

    let keys =
        "keys.current = { id = \"k\", value = \"BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg\" }";
    let signed = |keys: &str| read(&format!("strategy = \"sticky\"\n{keys}")).unwrap();
    let first = crate::build::app(signed(keys).build().await.unwrap());
    let (_, cookie) = crate::build::visit(&first, None).await;
    let again = crate::build::app(signed(keys).build().await.unwrap());
    assert_eq!(
        crate::build::visit(&again, cookie.as_deref()).await.0,
        "lost"
    );
    let stranger = crate::build::app(signed("").build().await.unwrap());
    assert_eq!(
        crate::build::visit(&stranger, cookie.as_deref()).await.0,
        "unknown"
    );
}
