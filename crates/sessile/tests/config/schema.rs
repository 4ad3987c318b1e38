//! The JSON Schema is what is committed, and says the same as the reader.

use std::path::Path;

use regex_lite::Regex;
use serde_json::Value;
use sessile::SessionConfig;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.schema.json");

fn schema() -> Value {
    serde_json::to_value(SessionConfig::json_schema()).unwrap()
}

#[test]
fn the_committed_schema_is_this_one() {
    let text = serde_json::to_string_pretty(&SessionConfig::json_schema()).unwrap() + "\n";
    if std::env::var_os("SESSILE_REGENERATE").is_some() {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap();
    assert!(
        committed == text,
        "docs/config.schema.json is old: SESSILE_REGENERATE=1 writes it anew"
    );
}

/// The first place where an instance is not what the schema says: as much of draft 2020-12 as the
/// schema uses, and a panic for what it does not know.
fn refused(schema: &Value, instance: &Value) -> Option<String> {
    let of = |schema: &Value, instance: &Value| refused(schema, instance);
    for (keyword, says) in schema.as_object().unwrap() {
        let good = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" => true,
            "type" => match says.as_str().unwrap() {
                "object" => instance.is_object(),
                "array" => instance.is_array(),
                "string" => instance.is_string(),
                "boolean" => instance.is_boolean(),
                "integer" => instance.is_i64() || instance.is_u64(),
                other => panic!("type {other}"),
            },
            "enum" => says.as_array().unwrap().contains(instance),
            "pattern" => {
                let pattern = Regex::new(says.as_str().unwrap()).unwrap();
                instance.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minLength" => instance
                .as_str()
                .is_none_or(|text| text.len() as u64 >= says.as_u64().unwrap()),
            "minimum" => instance
                .as_i64()
                .is_none_or(|number| number >= says.as_i64().unwrap()),
            "minProperties" => instance.as_object().is_none_or(|all| !all.is_empty()),
            "items" => match instance
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|item| of(says, item))
            {
                Some(place) => return Some(place),
                None => true,
            },
            "required" => {
                let has = |key: &Value| instance.get(key.as_str().unwrap()).is_some();
                says.as_array().unwrap().iter().all(has)
            }
            "oneOf" => {
                says.as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| of(one, instance).is_none())
                    .count()
                    == 1
            }
            "anyOf" => says
                .as_array()
                .unwrap()
                .iter()
                .any(|one| of(one, instance).is_none()),
            "propertyNames" => {
                let mut names = instance.as_object().into_iter().flat_map(|all| all.keys());
                names.all(|name| of(says, &name.as_str().into()).is_none())
            }
            "properties" => {
                for (key, schema) in says.as_object().unwrap() {
                    if let Some(place) = instance.get(key).and_then(|value| of(schema, value)) {
                        return Some(format!("{key}.{place}"));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let all = instance.as_object().into_iter().flatten();
                let mut others =
                    all.filter(|(key, _)| !known.is_some_and(|known| known.contains_key(*key)));
                others.all(|(_, value)| says.is_object() && of(says, value).is_none())
            }
            other => panic!("keyword {other}"),
        };
        if !good {
            return Some(keyword.clone());
        }
    }
    None
}

fn instance(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap()
}

#[test]
fn the_schema_accepts_the_sample_and_what_is_written_back() {
    let sample = include_str!("good/sample.toml");
    assert_eq!(refused(&schema(), &toml::from_str(sample).unwrap()), None);
    let config: SessionConfig = toml::from_str(sample).unwrap();
    assert_eq!(
        refused(&schema(), &serde_json::to_value(config).unwrap()),
        None
    );
    let peers = "strategy = \"sticky\"\nsticky.peers = { n2 = \"http://n2.app\" }";
    assert_eq!(refused(&schema(), &toml::from_str(peers).unwrap()), None);
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_in_the_same_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/broken");
    let mut both = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        let instance = instance(&path);
        if refused(&schema(), &instance).is_some() {
            both += 1;
            assert!(SessionConfig::read(instance).is_err(), "{}", path.display());
        }
    }
    // The others take two keys to see, or the bytes of a key.
    assert!(both >= 25, "the schema sees {both}");
}

#[test]
fn what_is_bad_by_itself_is_refused_by_the_schema() {
    for (bad, place) in [
        ("", "required"),
        ("strategy = \"stikcy\"", "strategy.enum"),
        ("strategy = \"sticky\"\nwombat = 1", "additionalProperties"),
        (
            "strategy = \"sticky\"\nlifetime.idle = \"30\"",
            "lifetime.idle.pattern",
        ),
        (
            "strategy = \"sticky\"\nlifetime.idle = 30",
            "lifetime.idle.type",
        ),
        (
            "strategy = \"sticky\"\nkeys.current = { id = \"k\", env = \"A\", file = \"b\" }",
            "keys.current.oneOf",
        ),
        (
            "strategy = \"sticky\"\nsticky.node = \"s\"",
            "sticky.node.pattern",
        ),
        (
            "strategy = \"sticky\"\nsticky.peers = {}",
            "sticky.peers.anyOf",
        ),
        (
            "strategy = \"sticky\"\nsticky.capacity = 0",
            "sticky.capacity.minimum",
        ),
    ] {
        let instance: Value = toml::from_str(bad).unwrap();
        assert_eq!(
            refused(&schema(), &instance).as_deref(),
            Some(place),
            "{bad}"
        );
    }
}
