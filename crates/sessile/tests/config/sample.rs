//! The sample that shows every key.

use sessile::SessionConfig;

use crate::{problems, read};

const SAMPLE: &str = include_str!("good/sample.toml");

#[test]
fn the_whole_sample_is_read() {
    let config: SessionConfig = toml::from_str(SAMPLE).unwrap();
    let shown = format!("{config:?}");
    for part in [
        "\"forward\"",
        "\"15m\"",
        "1000000",
        "SESSILE_JWT_KEY",
        "\"accept\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn the_word_is_the_only_thing_that_changes() {
    // Without a migration, which would be from tokens to tokens.
    let (sample, _) = SAMPLE.split_once("[migrate]").unwrap();
    for word in ["sticky", "stored", "token"] {
        let text = sample.replacen("\"sticky\"", &format!("\"{word}\""), 1);
        toml::from_str::<SessionConfig>(&text).unwrap();
    }
}

#[test]
fn the_sections_not_in_use_are_read_but_need_nothing() {
    // No variable is looked up, no feature is missed, no store is asked, nothing is incomplete.
    let config = read(
        r#"
        strategy = "sticky"
        [stored]
        url = "redis://127.0.0.1:1"
        [token]
        format = "sealed"
        revocation = { url = "postgres://127.0.0.1:1/none" }
        [token.keys]
        sign = { kid = "a", alg = "HS256", env = "SESSILE_TEST_UNSET" }
        "#,
    );
    config.unwrap().check().unwrap();
    let error = read("strategy = \"sticky\"\ntoken.life = \"soon\"\nstored.ulr = \"memory:\"");
    let error = error.unwrap_err();
    let paths: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.path())
        .collect();
    assert_eq!(
        paths,
        ["stored.ulr", "token.life"],
        "their syntax is checked"
    );
}

#[test]
fn keys_are_not_read_for_tokens_alone() {
    let config = read(
        r#"
        strategy = "token"
        keys.current = { id = "a", env = "SESSILE_TEST_UNSET" }
        [token]
        issuer = "i"
        audience = "a"
        [token.keys]
        sign = { kid = "a", alg = "HS256", value = "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg" }
        "#,
    );
    match config.unwrap().check() {
        Ok(()) => {}
        Err(error) => assert!(!error.to_string().contains("SESSILE_TEST_UNSET"), "{error}"),
    }
}

#[test]
fn what_this_build_lacks_is_told_all_at_once() {
    let config: SessionConfig = toml::from_str(SAMPLE).unwrap();
    let problems = problems(config.check()).join("\n");
    let mut missing = vec!["keys.current.env"];
    if !cfg!(feature = "redis") {
        missing.push("sticky.backing");
    }
    if !cfg!(feature = "forward") {
        missing.push("sticky.peers");
    }
    if !cfg!(feature = "token") {
        missing.push("migrate.from.strategy");
    }
    for path in missing {
        assert!(
            problems.contains(&format!("{path}: ")),
            "{path} in {problems}"
        );
    }
}

/// Every place in a tree, from the outside in.
fn places(value: &serde_json::Value, path: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        serde_json::Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in children {
        let path = format!("{path}/{key}");
        all.push(path.clone());
        places(value, &path, all);
    }
}

#[test]
fn what_stands_in_the_wrong_place_is_told_of_with_that_place() {
    let sample: serde_json::Value = toml::from_str(SAMPLE).unwrap();
    let mut all = Vec::new();
    places(&sample, "", &mut all);
    assert!(all.len() > 45, "{}", all.len());
    let mut refused = 0;
    for place in &all {
        for wrong in [
            serde_json::json!(true),
            serde_json::json!(-1),
            serde_json::json!(0.5),
            serde_json::json!("\u{1}"),
            serde_json::json!([[]]),
            serde_json::json!({ "wombat": {} }),
        ] {
            let mut config = sample.clone();
            *config.pointer_mut(place).unwrap() = wrong.clone();
            let Err(error) = SessionConfig::read(config) else {
                // A name may be anything that can be a text.
                let name = wrong.is_boolean() || wrong.is_number();
                let text = wrong == "\u{1}" && place.ends_with("file");
                assert!(name || text, "{place} = {wrong}");
                continue;
            };
            refused += 1;
            let path = place[1..].replace('/', ".");
            let told = error
                .problems()
                .iter()
                .any(|problem| problem.path().starts_with(&path));
            // A good name, that another place does not find any more.
            let elsewhere = place == "/keys/current/id" && wrong != "\u{1}";
            assert!(told || elsewhere, "{place} = {wrong}: {error}");
        }
    }
    assert!(refused > 5 * all.len(), "{refused} of {}", 6 * all.len());
}
