//! E12, E13: who a token is from and for, and the claims that every session has.

use crate::support::*;

#[test]
fn e12_the_audience_is_one_string_and_ours_to_the_letter() {
    for bad in [
        "\"https://other.example\"",
        "\"https://app.example/\"",
        "\"https://APP.example\"",
        "\"\"",
        "null",
        "1",
        "true",
        "{}",
        "[]",
        "[\"https://app.example\"]",
        "[\"https://app.example\",\"x\"]",
        "[\"https://app.example\",1]",
    ] {
        refused_claims(claims_with("aud", Some(bad)));
    }
    refused_claims(claims_with("aud", None));
    accepted(&forge(
        HEADER,
        claims_with("aud", Some("\"https:\\/\\/app.\\u0065xample\"")),
    ));
}

#[test]
fn e13_the_issuer_is_one_string_and_ours_to_the_letter() {
    for bad in [
        "\"https://other.example\"",
        "\"https://app.example.evil.example\"",
        "\"\"",
        "null",
        "1",
        "[\"https://app.example\"]",
        "{\"https://app.example\":1}",
    ] {
        refused_claims(claims_with("iss", Some(bad)));
    }
    refused_claims(claims_with("iss", None));
}

#[test]
fn e13_a_subject_is_absent_or_a_string_that_is_not_empty() {
    for bad in ["\"\"", "null", "1", "[\"ada\"]", "{}", "false"] {
        refused_claims(claims_with("sub", Some(bad)));
    }
    let opened = open(&signed(), &forge(HEADER, claims_with("sub", None)));
    assert_eq!(opened.held().unwrap().record.subject, None);
}

#[test]
fn e13_what_every_session_has_is_there_and_of_its_type() {
    for name in [
        "sid", "jti", "iat", "nbf", "exp", "sct", "sxp", "ver", "data",
    ] {
        refused_claims(claims_with(name, None));
        for bad in ["null", "true", "[]", "-1", "1.5", "\"x\"", "1e3", "\"1\""] {
            // A `jti` is any string; `data` is an object.
            if (name, bad) != ("jti", "\"x\"") && (name, bad) != ("jti", "\"1\"") {
                refused_claims(claims_with(name, Some(bad)));
            }
        }
    }
    for (name, bad) in [
        ("sid", "\"AQEBAQEBAQEBAQEBAQEBAR\""),
        ("sid", "\"AQEBAQEBAQEBAQEBAQEBAQ==\""),
        ("sid", "\"\""),
        ("jti", "\"\""),
        ("jti", "{}"),
        ("ver", "0"),
        ("ver", "9007199254740992"),
        ("sep", "\"1\""),
        ("sep", "-1"),
        ("sep", "9007199254740992"),
        ("data", "{\"\":1}"),
        ("data", "{\"a\\nb\":1}"),
        ("data", "\"{}\""),
    ] {
        refused_claims(claims_with(name, Some(bad)));
    }
}

#[test]
fn a_claim_that_a_later_release_adds_is_ignored() {
    accepted(&forge(HEADER, claims_with("own", Some("{\"deep\":[1]}"))));
}
