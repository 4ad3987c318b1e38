//! One configuration, whatever reads it.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde_json::json;
use sessile::SessionConfig;

const SAMPLE: &str = include_str!("good/sample.toml");

#[test]
fn what_is_written_back_is_read_as_the_same_by_every_format() {
    let config: SessionConfig = toml::from_str(SAMPLE).unwrap();
    let shown = format!("{config:?}");
    let as_toml = toml::to_string(&config).unwrap();
    let as_json = serde_json::to_string(&config).unwrap();
    let as_yaml = serde_saphyr::to_string(&config).unwrap();
    for (format, again) in [
        ("toml", toml::from_str::<SessionConfig>(&as_toml).unwrap()),
        ("json", serde_json::from_str(&as_json).unwrap()),
        ("yaml", serde_saphyr::from_str(&as_yaml).unwrap()),
    ] {
        assert_eq!(format!("{again:?}"), shown, "{format}");
        assert_eq!(serde_json::to_string(&again).unwrap(), as_json, "{format}");
    }
}

#[test]
fn a_table_of_peers_comes_back_from_every_format() {
    let text = format!(
        "strategy = \"sticky\"\nsticky = {{ node = \"n1\", misrouted = [\"forward\"], peers = {{ n2 = \"http://n2\" }}, capacity = 7 }}\n{KEYS}"
    );
    let config: SessionConfig = toml::from_str(&text).unwrap();
    let as_toml = toml::to_string(&config).unwrap();
    let again: SessionConfig = toml::from_str(&as_toml).unwrap();
    assert_eq!(format!("{again:?}"), format!("{config:?}"));
    let as_yaml = serde_saphyr::to_string(&config).unwrap();
    let again: SessionConfig = serde_saphyr::from_str(&as_yaml).unwrap();
    assert_eq!(format!("{again:?}"), format!("{config:?}"));
}

const KEYS: &str = "keys.current = { id = \"2026-11\", env = \"SESSILE_KEY\" }";

#[test]
fn what_is_shown_does_not_depend_on_the_order_of_the_file() {
    let one = SessionConfig::read(
        json!({ "strategy": "sticky", "lifetime": { "idle": "1m", "absolute": "1h" } }),
    );
    let two: SessionConfig =
        serde_json::from_str(r#"{"lifetime":{"absolute":"1h","idle":"1m"},"strategy":"sticky"}"#)
            .unwrap();
    assert_eq!(format!("{:?}", one.unwrap()), format!("{two:?}"));
    let shown = serde_json::to_string(&two).unwrap();
    assert_eq!(
        shown,
        r#"{"strategy":"sticky","lifetime":{"idle":"1m","absolute":"1h"}}"#
    );
}

#[test]
fn a_section_of_a_programs_own_configuration_is_one() {
    #[derive(serde::Deserialize)]
    struct Program {
        port: u16,
        session: SessionConfig,
    }
    let program: Program = toml::from_str("port = 80\n[session]\nstrategy = \"sticky\"").unwrap();
    assert_eq!(program.port, 80);
    program.session.check().unwrap();
}

#[test]
fn where_a_loader_gives_strings_they_are_read_as_what_they_say() {
    // As `config` gives an environment: lower case, nested, all text.
    let config = SessionConfig::read(json!({
        "strategy": "sticky",
        "carriers": "cookie",
        "lifetime": { "idle": "20m" },
        "cookie": { "http_only": "true", "persistent": "false" },
        "sticky": { "capacity": "5000" },
        "keys": {
            "current": { "id": "2026-11", "env": "SESSILE_KEY" },
            "previous": { "1": { "id": "2026-01", "env": "B" }, "0": { "id": "2026-05", "env": "A" } },
        },
        "require": { "any_node": "false" },
    }));
    let shown = serde_json::to_value(config.unwrap()).unwrap();
    assert_eq!(shown["sticky"]["capacity"], 5000);
    assert_eq!(shown["cookie"]["http_only"], true);
    assert_eq!(shown["carriers"], json!(["cookie"]));
    assert_eq!(shown["keys"]["previous"][0]["id"], "2026-05");
    assert_eq!(shown["require"]["any_node"], false);
}

#[test]
fn where_a_loader_guesses_types_names_stay_names() {
    // As `figment` gives an environment: `2026` a number, `true` a boolean.
    let config = SessionConfig::read(json!({
        "strategy": "sticky",
        "keys": { "current": { "id": 2026, "env": "SESSILE_KEY" } },
        "sticky": { "node": 1, "capacity": 5000 },
    }));
    let shown = serde_json::to_value(config.unwrap()).unwrap();
    assert_eq!(shown["keys"]["current"]["id"], "2026");
    assert_eq!(shown["sticky"]["node"], "1");
}

#[test]
fn a_date_without_quotes_is_the_text_that_it_looks_like() {
    let toml = "strategy = \"sticky\"\nkeys.current = { id = 2026-11-01, env = \"SESSILE_KEY\" }";
    let config: SessionConfig = toml::from_str(toml).unwrap();
    assert!(format!("{config:?}").contains("2026-11-01"));
}

#[test]
fn nothing_is_as_good_as_absent() {
    let yaml = "strategy: sticky\nlifetime: ~\nkeys:\ncookie: {domain: null}\n";
    let config: SessionConfig = serde_saphyr::from_str(yaml).unwrap();
    config.check().unwrap();
    let error = SessionConfig::read(json!({ "strategy": null })).unwrap_err();
    assert!(
        error.to_string().contains("strategy: is missing"),
        "{error}"
    );
}

#[test]
fn a_flat_map_of_strings_is_read() {
    let flat = BTreeMap::from([("strategy", "sticky"), ("carriers", "cookie")]);
    SessionConfig::deserialize::<serde::de::value::MapDeserializer<'_, _, serde::de::value::Error>>(
        flat.into_deserializer(),
    )
    .unwrap();
}

#[test]
fn a_key_that_is_there_twice_is_told_of() {
    let error = SessionConfig::read(&mut serde_json::Deserializer::from_str(
        r#"{ "strategy": "sticky", "strategy": "stored" }"#,
    ));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("strategy: is there twice")
    );
}

#[test]
fn every_loaders_own_error_tells_every_problem() {
    let toml = toml::from_str::<SessionConfig>("strategy = 1\ncookies = {}").unwrap_err();
    let json =
        serde_json::from_str::<SessionConfig>("{\"strategy\":1,\"cookies\":{}}").unwrap_err();
    let yaml = serde_saphyr::from_str::<SessionConfig>("strategy: 1\ncookies: {}").unwrap_err();
    for text in [toml.to_string(), json.to_string(), yaml.to_string()] {
        assert!(text.contains("2 problems"), "{text}");
        assert!(text.contains("strategy: is a number: write"), "{text}");
        assert!(text.contains("write \"cookie\""), "{text}");
    }
}

#[test]
fn a_key_of_several_lines_makes_one_line() {
    let given =
        json!({ "strategy": "sticky", "a\nb": 1, "sticky": { "peers": { "\u{1b}[2J": "x" } } });
    let error = SessionConfig::read(given).unwrap_err();
    let paths: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.path())
        .collect();
    assert_eq!(paths.last(), Some(&"a\\nb"));
    assert_eq!(
        error.to_string().lines().count(),
        paths.len() + 1,
        "{error}"
    );
    assert!(!error.to_string().contains('\u{1b}'));
}

#[test]
fn hostile_input_is_an_error_and_no_overflow() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(serde_json::from_str::<SessionConfig>(&deep).is_err());
    for wrong in [
        "1",
        "null",
        "[]",
        "\"sticky\"",
        "{\"\":{}}",
        "{\"lifetime\":{\"idle\":1e300}}",
    ] {
        assert!(
            serde_json::from_str::<SessionConfig>(wrong).is_err(),
            "{wrong}"
        );
    }
    let large = json!({ "strategy": "sticky", "sticky": { "capacity": u64::MAX } });
    SessionConfig::read(large).unwrap().check().unwrap();
}
