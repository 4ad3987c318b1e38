//! E02, E05 to E08, E14: what a header may say.

use crate::support::*;

fn header(members: &str) -> String {
    forge(format!("{{{members}}}"), good_claims())
}

#[test]
fn e02_the_key_says_the_algorithm_and_the_header_has_to_agree() {
    accepted(&header(
        r#""typ":"session+jwt","kid":"2026-11","alg":"HS256""#,
    ));
    for alg in [
        "none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256", "HS256 ", "RS256", "ES256",
        "EdDSA", "PS256", "dir",
    ] {
        refused(&header(&format!(
            r#""alg":"{alg}","kid":"2026-11","typ":"session+jwt""#
        )));
    }
    for alg in ["null", "1", "[\"HS256\"]", "{}", "true"] {
        refused(&header(&format!(
            r#""alg":{alg},"kid":"2026-11","typ":"session+jwt""#
        )));
    }
    refused(&header(r#""kid":"2026-11","typ":"session+jwt""#));
    // Without a signature, under every spelling of "none".
    for alg in ["none", "None", "HS256"] {
        let unsigned = header(&format!(
            r#""alg":"{alg}","kid":"2026-11","typ":"session+jwt""#
        ));
        let (message, _) = unsigned.rsplit_once('.').unwrap();
        refused(&format!("{message}."));
        refused(message);
    }
}

#[test]
fn e02_a_ring_of_one_kind_of_keys_does_not_take_the_other() {
    let own = || PrivateKey::from_pem(Algorithm::EdDSA, &crate::golden::pem("EdDSA")).unwrap();
    let error = TokenKeys::new(own()).verify(hmac_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("mixed()"));
    assert!(TokenKeys::new(hmac_key()).sign(own()).is_err());
    assert!(TokenKeys::new(own()).mixed().verify(hmac_key()).is_ok());
}

#[test]
fn e05_a_key_that_a_token_brings_or_points_at_is_refused() {
    let start = r#""alg":"HS256","kid":"2026-11","typ":"session+jwt""#;
    for more in [
        r#""jwk":{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#,
        r#""jku":"https://evil.example/keys""#,
        r#""x5u":"https://evil.example/cert""#,
        r#""x5c":["MIIB"]"#,
        r#""x5t":"AAAA""#,
        r#""x5t#S256":"AAAA""#,
        r#""jwk":null"#,
        r#""\u006awk":{}"#,
    ] {
        refused(&header(&format!("{start},{more}")));
    }
}

#[test]
fn e06_an_unknown_or_missing_kid_is_refused_and_no_key_is_tried() {
    for kid in [
        r#""kid":"other","#,
        r#""kid":"","#,
        r#""kid":null,"#,
        r#""kid":1,"#,
        r#""kid":["2026-11"],"#,
        r#""kid":"2026-11 ","#,
        r#""kid":"2026-1","#,
        "",
    ] {
        refused(&header(&format!(
            r#""alg":"HS256",{kid}"typ":"session+jwt""#
        )));
    }
    // Not with the empty key either, which some look-ups end in.
    let unknown = r#"{"alg":"HS256","kid":"other","typ":"session+jwt"}"#;
    refused(&forge_with(b"", unknown, good_claims()));
    refused(&forge_with(b"", HEADER, good_claims()));
}

#[test]
fn e07_a_kid_is_opaque_bytes_of_at_most_128() {
    let odd = "a/../b'; DROP \u{1f511} %00 ${x}";
    let key = |kid: &str| {
        HmacKey::new(Algorithm::HS256, secret(0))
            .unwrap()
            .named(kid)
    };
    for kid in [odd, &"k".repeat(128)] {
        let token = with(Token::signed(TokenKeys::new(key(kid).unwrap())));
        let text = issue(&token, &record(None, &[], now()));
        assert_eq!(arrival(&token, &text), Arrival::Resumed);
        refused(&text);
    }
    for kid in ["", &"k".repeat(129)] {
        assert_eq!(key(kid).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let long = "k".repeat(129);
    refused(&header(&format!(
        r#""alg":"HS256","kid":"{long}","typ":"session+jwt""#
    )));
    // Bytes, not characters that look alike, nor another case.
    refused(&header(
        r#""alg":"HS256","kid":"２026-11","typ":"session+jwt""#,
    ));
}

#[test]
fn e08_an_unknown_critical_header_is_refused() {
    let start = r#""alg":"HS256","kid":"2026-11","typ":"session+jwt""#;
    for more in [
        r#""crit":["exp"],"exp":1"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":[]"#,
        r#""crit":"exp""#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""zip":"DEF""#,
        r#""zip":null"#,
        r#""\u0063rit":["x"]"#,
    ] {
        refused(&header(&format!("{start},{more}")));
    }
    // What is neither known nor critical is ignored (RFC 7515, section 4).
    accepted(&header(&format!("{start},\"cty\":\"x\",\"own\":[1]")));
}

#[test]
fn e14_only_the_type_of_a_session_is_a_session() {
    let typ = |typ: &str| header(&format!(r#""alg":"HS256","kid":"2026-11",{typ}"x":1"#));
    accepted(&typ(r#""typ":"session+jwt","#));
    accepted(&typ(r#""typ":"application/session+jwt","#));
    for bad in [
        r#""typ":"JWT","#,
        r#""typ":"at+jwt","#,
        r#""typ":"refresh+jwt","#,
        r#""typ":"logout+jwt","#,
        r#""typ":"session+jwe","#,
        r#""typ":"Session+JWT","#,
        r#""typ":"session+jwt ","#,
        r#""typ":"application/application/session+jwt","#,
        r#""typ":"","#,
        r#""typ":null,"#,
        r#""typ":["session+jwt"],"#,
        "",
    ] {
        refused(&typ(bad));
    }
}
