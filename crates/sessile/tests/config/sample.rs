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
    let problems = problems(config.unwrap().check());
    assert!(
        !problems.concat().contains("SESSILE_TEST_UNSET"),
        "{problems:?}"
    );
}

#[test]
fn what_this_build_lacks_is_told_all_at_once() {
    let config: SessionConfig = toml::from_str(SAMPLE).unwrap();
    let problems = problems(config.check()).join("\n");
    for path in [
        "sticky.node",
        "sticky.backing",
        "sticky.peers",
        "migrate",
        "keys.current.env",
    ] {
        assert!(
            problems.contains(&format!("{path}: ")),
            "{path} in {problems}"
        );
    }
}
