//! F01 to F07, F10: sealed tokens.

use std::collections::HashSet;

use base64_simd::URL_SAFE_NO_PAD as BASE64;

use crate::support::*;

fn good(token: &Token) -> String {
    issue(
        token,
        &record(Some("ada"), &[("n", "1"), ("secret", "\"of ada\"")], now()),
    )
}

#[track_caller]
fn unknown(text: &str) {
    assert_eq!(arrival(&sealed(), text), Arrival::Unknown, "{text}");
}

#[test]
fn a_sealed_session_comes_back_and_is_not_readable() {
    let token = sealed();
    let text = good(&token);
    let opened = open(&token, &text);
    let record = &opened.held().unwrap().record;
    assert_eq!(record.subject.as_deref(), Some("ada"));
    assert_eq!(record.data.get("secret").unwrap().as_str(), "\"of ada\"");
    for part in text.split('.') {
        let bytes = BASE64.decode_to_vec(part).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("ada"));
    }
}

#[test]
fn f01_any_flipped_bit_cut_or_extension_is_refused() {
    let token = sealed();
    let text = good(&token);
    assert_eq!(arrival(&token, &text), Arrival::Resumed);
    let parts: Vec<_> = text.split('.').collect();
    for (number, part) in parts.iter().enumerate() {
        let bytes = BASE64.decode_to_vec(part).unwrap();
        let with = |bytes: &[u8]| {
            let part = BASE64.encode_to_string(bytes);
            let mut parts: Vec<&str> = parts.clone();
            parts[number] = &part;
            parts.join(".")
        };
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            unknown(&with(&flipped));
        }
        for cut in 0..bytes.len() {
            unknown(&with(&bytes[..cut]));
        }
        for more in [&b"\0"[..], b"\0\0\0\0", &bytes] {
            // The wrapped key is empty, and twice nothing is nothing.
            if !more.is_empty() {
                unknown(&with(&[&bytes, more].concat()));
            }
        }
    }
    for place in 0..text.len() {
        unknown(&[&text[..place], &text[place + 1..]].concat());
        unknown(&[&text[..place], "A", &text[place..]].concat());
    }
}

#[test]
fn f06_nothing_that_a_forged_token_seals_is_looked_at() {
    let token = sealed();
    // Were the plaintext read before its tag was checked, the forged one would arrive as expired.
    let old = at(NOW - 20 * 3600);
    let text = issue(&token, &record(Some("ada"), &[("n", "1")], old));
    assert_eq!(arrival(&token, &text), Arrival::Expired);
    let (rest, tag) = text.rsplit_once('.').unwrap();
    let mut forged = BASE64.decode_to_vec(tag).unwrap();
    forged[0] ^= 1;
    let text = format!("{rest}.{}", BASE64.encode_to_string(&forged));
    let opened = open(&token, &text);
    assert_eq!(opened.arrival, Arrival::Unknown);
    assert!(opened.held().is_none());
}

#[test]
fn f02_nonces_do_not_repeat_and_a_key_seals_only_so_often() {
    let token = sealed();
    let made = record(None, &[], now());
    let mut seen = HashSet::new();
    for _ in 0..20_000 {
        let text = issue(&token, &made);
        assert!(seen.insert(text.split('.').nth(2).unwrap().to_owned()));
    }
    let key = sealing_key().seals_at_most(3);
    let token = with(Token::sealed(SealingKeys::new(key.clone())));
    for _ in 0..3 {
        issue(&token, &made);
    }
    for _ in 0..2 {
        let error = token
            .issue(&made, &Verifier::random(), CARRIER)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains(KID));
    }
    assert_eq!(key.seals(), 3);
    assert_eq!(sealing_key().seals_at_most(u64::MAX).seals(), 0);
}

#[test]
fn f03_a_sealed_token_does_not_move_to_another_cookie_application_or_purpose() {
    let token = sealed();
    let text = good(&token);
    let elsewhere = Presented {
        carrier: "__Host-other",
        ..presented(&text, now())
    };
    assert_eq!(
        run(token.open(&elsewhere, now())).unwrap().arrival,
        Arrival::Unknown
    );
    let keys = || SealingKeys::new(sealing_key());
    let other = Token::sealed(keys())
        .issuer(ISSUER)
        .audience("https://other.example")
        .build();
    assert_eq!(arrival(&other.unwrap(), &text), Arrival::Unknown);
    let other = Token::sealed(keys())
        .issuer("https://other.example")
        .audience(ISSUER)
        .build();
    assert_eq!(arrival(&other.unwrap(), &text), Arrival::Unknown);

    // The header is part of what is sealed, and each of its members is asked for.
    let header = r#"{"alg":"dir","enc":"A256GCM","kid":"2026-11","typ":"session+jwe","aud":"https://app.example","car":"__Host-sid","pur":"session","ver":1}"#;
    let (_, rest) = text.split_once('.').unwrap();
    assert_eq!(text, format!("{}.{rest}", BASE64.encode_to_string(header)));
    assert_eq!(
        arrival(&token, &seal_with(header, good_claims())),
        Arrival::Resumed
    );
    for (from, to) in [
        ("\"ver\":1", "\"ver\":2"),
        ("\"pur\":\"session\"", "\"pur\":\"refresh\""),
        ("session+jwe", "session+jwt"),
        ("session+jwe", "JWT"),
        ("A256GCM", "A128GCM"),
        ("A256GCM", "A256CBC-HS512"),
        ("\"dir\"", "\"A256KW\""),
        ("\"dir\"", "\"none\""),
        ("__Host-sid", "__Host-Sid"),
        ("{\"alg\"", "{\"zip\":\"DEF\",\"alg\""),
        ("{\"alg\"", "{\"crit\":[],\"alg\""),
        ("{\"alg\"", "{\"jwk\":{},\"alg\""),
        ("{\"alg\"", "{\"alg\":\"dir\",\"alg\""),
        ("2026-11", "2026-12"),
        (",\"kid\":\"2026-11\"", ""),
        (",\"pur\":\"session\"", ""),
        (",\"car\":\"__Host-sid\"", ""),
        (",\"aud\":\"https://app.example\"", ""),
        (",\"ver\":1", ""),
    ] {
        let header = header.replacen(from, to, 1);
        unknown(&seal_with(&header, good_claims()));
    }
}

#[test]
fn f04_there_is_no_way_back_to_another_format() {
    let (signed, sealed) = (signed(), sealed());
    let (jws, jwe) = (good(&signed), good(&sealed));
    assert_eq!(arrival(&signed, &jwe), Arrival::Unknown);
    assert_eq!(arrival(&sealed, &jws), Arrival::Unknown);
    let plain = BASE64.encode_to_string(good_claims());
    for text in [
        &*plain,
        &format!("{plain}."),
        &format!("..{plain}"),
        &good_claims(),
    ] {
        assert_eq!(arrival(&sealed, text), Arrival::Unknown);
        assert_eq!(arrival(&signed, text), Arrival::Unknown);
    }
}

#[test]
fn f05_the_tag_and_the_nonce_have_the_lengths_that_we_say() {
    let text = good(&sealed());
    let parts: Vec<_> = text.split('.').collect();
    for (number, length) in [(2, 12), (4, 16)] {
        let bytes = BASE64.decode_to_vec(parts[number]).unwrap();
        assert_eq!(bytes.len(), length);
        for cut in [0, 1, 4, 8, length - 1] {
            let part = BASE64.encode_to_string(&bytes[..cut]);
            let mut parts = parts.clone();
            parts[number] = &part;
            unknown(&parts.join("."));
        }
    }
    // `dir` sends no key, not even one that would unwrap.
    let mut parts = parts.clone();
    parts[1] = "AAAA";
    unknown(&parts.join("."));
    assert_eq!(parts.len(), 5);
}

#[test]
fn f07_nothing_is_compressed() {
    let token = sealed();
    let length = |value: &str| {
        let text = format!("{value:?}");
        issue(&token, &record(None, &[("n", &text)], now())).len()
    };
    let varied: String = (0..500)
        .map(|index| char::from(b'a' + (index * 7 % 26) as u8))
        .collect();
    assert_eq!(length(&"a".repeat(500)), length(&varied));
}

#[test]
fn f10_what_is_sealed_is_read_as_strictly_as_what_is_signed() {
    let header = sealed_header();
    for claims in [
        format!("{} ", good_claims()),
        good_claims().replacen('{', "{\"sub\":\"eve\",", 1),
        claims_with("iss", Some("\"x\"")),
        claims_with("exp", Some(&(NOW * 1000).to_string())),
        claims_with(
            "data",
            Some(&format!("{{\"n\":{}1{}}}", "[".repeat(40), "]".repeat(40))),
        ),
        "null".into(),
        String::new(),
    ] {
        unknown(&seal_with(&header, claims));
    }
    let expired = at(NOW + 960);
    let text = seal_with(&header, good_claims());
    assert_eq!(open_at(&sealed(), &text, expired).arrival, Arrival::Expired);
}

fn sealed_header() -> String {
    let text = good(&sealed());
    let header = BASE64
        .decode_to_vec(text.split('.').next().unwrap())
        .unwrap();
    String::from_utf8(header).unwrap()
}

/// Seals whatever it is, with the right key.
fn seal_with(header: &str, claims: String) -> String {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret(0)).unwrap());
    let header = BASE64.encode_to_string(header);
    let (nonce, mut text) = ([7; 12], claims.into_bytes());
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut text,
        )
        .unwrap();
    let parts = [&nonce[..], &text, tag.as_ref()].map(|part| BASE64.encode_to_string(part));
    format!("{header}..{}", parts.join("."))
}
