//! Secrets are in nothing that is shown.

use serde_json::json;
use sessile::SessionConfig;

use crate::{problems, read};

const INLINE: &str = r#"
    strategy = "token"
    [keys]
    current = { id = "k", value = "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg" }
    [sticky]
    backing = "redis://:hunter2@127.0.0.1"
    [stored]
    url = "postgres://app:hunter2@127.0.0.1/db?sslpassword=hunter2"
    [token]
    issuer = "i"
    audience = "a"
    revocation = { url = "redis+sentinel://:hunter2@127.0.0.1/main" }
    [token.keys]
    sign = { kid = "a", alg = "EdDSA", pem = "-----BEGIN PRIVATE KEY----- hunter2" }
    verify = [{ kid = "b", alg = "ES256", jwk = '{"d":"hunter2"}' }]
"#;

const KEY: &str = "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg";

#[test]
fn neither_debug_nor_serialize_nor_an_error_shows_one() {
    let config = read(INLINE).unwrap();
    let shown = [
        format!("{config:?} {config:#?}"),
        toml::to_string(&config).unwrap(),
        serde_json::to_string(&config).unwrap(),
        problems(config.check()).concat(),
    ];
    for text in &shown {
        assert!(!text.contains("hunter2") && !text.contains(KEY), "{text}");
    }
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(
        json["keys"]["current"],
        json!({ "id": "k", "value": "***" })
    );
    assert_eq!(json["token"]["keys"]["sign"]["pem"], "***");
    assert_eq!(json["token"]["keys"]["verify"][0]["jwk"], "***");
    assert_eq!(
        json["stored"]["url"],
        "postgres://app:***@127.0.0.1/db?sslpassword=***"
    );
    assert_eq!(json["sticky"]["backing"], "redis://:***@127.0.0.1");
}

#[test]
fn a_configuration_that_was_shown_does_not_start_by_mistake() {
    let text = format!("strategy = \"sticky\"\nkeys.current = {{ id = \"k\", value = \"{KEY}\" }}");
    let shown = serde_json::to_value(read(&text).unwrap()).unwrap();
    let error = SessionConfig::read(shown).unwrap_err();
    assert_eq!(error.problems()[0].path(), "keys.current.value");
}

#[tokio::test]
async fn a_layer_that_was_built_does_not_show_one() {
    for strategy in [
        "strategy = \"sticky\"",
        "strategy = \"stored\"\nstored.url = \"memory:?password=hunter2\"",
    ] {
        let config = read(&format!(
            "{strategy}\nkeys.current = {{ id = \"k\", value = \"{KEY}\" }}"
        ));
        let shown = format!("{:?}", config.unwrap().build().await.unwrap());
        // The bytes of the key, as numbers, would begin so.
        for secret in ["hunter2", KEY, "7, 6, 5, 4, 3"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for line in [
        format!("strategy = \"{KEY}\""),
        format!("lifetime.idle = \"{KEY}\""),
        format!("stored.url = \"{KEY}\""),
        format!("keys.current = \"{KEY}\""),
        format!("keys.current = {{ id = \"k\", env = \"{KEY}\" }}"),
        format!("keys.current = {{ id = \"k\", file = \"{KEY}\" }}"),
        format!("token.keys.sign = {{ kid = \"k\", alg = \"{KEY}\" }}"),
        format!("sticky.node = \"{KEY}\""),
        format!("require.scope = \"{KEY}\""),
    ] {
        let text = if line.starts_with("strategy") {
            line
        } else {
            format!("strategy = \"sticky\"\n{line}")
        };
        let error = read(&text).and_then(|config| config.check()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    }
}
