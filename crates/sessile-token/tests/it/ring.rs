//! E20: rings of keys, and how they change while tokens travel.

use crate::golden::pem;
use crate::support::*;

fn key(first: u8, kid: &str) -> HmacKey {
    let key = HmacKey::new(Algorithm::HS256, secret(first)).unwrap();
    key.named(kid).unwrap()
}

fn kid(text: &str) -> String {
    let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text.split('.').next().unwrap());
    let header: serde_json::Value = serde_json::from_slice(&header.unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn made_by(token: &Token, at: Timestamp) -> String {
    kid(&issue(token, &record(None, &[], at)))
}

#[test]
fn e20_a_key_is_published_then_signs_then_retires() {
    let (begins, retires) = (at(NOW + 1000), at(NOW + 2000));
    let ring = TokenKeys::new(SigningKey::from(key(1, "old")).retired_at(retires));
    let ring = ring
        .sign(SigningKey::from(key(2, "new")).active_from(begins))
        .unwrap();
    let token = with(Token::signed(ring));
    let just_before = |at: Timestamp| Timestamp::from_millis(at.as_millis() - 1);
    assert_eq!(made_by(&token, just_before(begins)), "old");
    assert_eq!(made_by(&token, begins), "new");

    // Another node whose clock is ahead signs with the new one already.
    let ahead = with(Token::signed(TokenKeys::new(key(2, "new"))));
    let text = issue(&ahead, &record(None, &[], now()));
    assert_eq!(arrival(&token, &text), Arrival::Resumed);

    let old = with(Token::signed(TokenKeys::new(key(1, "old"))));
    let text = issue(&old, &record(None, &[], at(NOW + 1990)));
    assert_eq!(
        open_at(&token, &text, just_before(retires)).arrival,
        Arrival::Resumed
    );
    assert_eq!(open_at(&token, &text, retires).arrival, Arrival::Unknown);
}

#[test]
fn e20_no_good_token_is_refused_while_three_nodes_change_their_keys_one_by_one() {
    let old = || SigningKey::from(key(1, "old"));
    let new = || SigningKey::from(key(2, "new"));
    // Publish, then sign, then retire: each step reaches one node after the other.
    let steps: [&dyn Fn() -> TokenKeys; 4] = [
        &|| TokenKeys::new(old()),
        &|| TokenKeys::new(old()).verify(key(2, "new")).unwrap(),
        &|| TokenKeys::new(new()).verify(key(1, "old")).unwrap(),
        &|| TokenKeys::new(new()),
    ];
    let rings: Vec<LiveKeys<TokenKeys>> = (0..3).map(|_| steps[0]().into()).collect();
    let nodes: Vec<Token> = rings
        .iter()
        .map(|ring| with(Token::signed(ring.clone())))
        .collect();
    let mut travelling = Vec::new();
    let mut second = NOW;
    for (number, step) in steps.iter().enumerate() {
        for ring in &rings {
            ring.replace(step());
            for round in 0..100 {
                second += 1;
                let made = &nodes[round % 3];
                travelling.push(issue(made, &record(None, &[], at(second))));
                for text in travelling.iter().rev().take(20) {
                    for node in &nodes {
                        let arrival = open_at(node, text, at(second)).arrival;
                        assert_eq!(arrival, Arrival::Resumed, "in step {number}");
                    }
                }
            }
        }
        // All nodes are through; the last tokens of the old key run out before the next step.
        second += 900 + 60;
        travelling.clear();
    }
    let text = issue(
        &with(Token::signed(steps[0]())),
        &record(None, &[], at(second)),
    );
    assert_eq!(
        open_at(&nodes[0], &text, at(second)).arrival,
        Arrival::Unknown
    );
}

#[test]
fn a_ring_in_which_no_key_signs_yet_says_so() {
    let ring = TokenKeys::new(SigningKey::from(key(1, "new")).active_from(at(NOW + 1)));
    let token = with(Token::signed(ring));
    let made = record(None, &[], now());
    let error = token
        .issue(&made, &Verifier::random(), CARRIER)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn ambiguous_keys_are_refused() {
    let ring = || TokenKeys::new(key(1, "a"));
    for twin in [key(2, "a"), key(1, "b"), key(1, "a")] {
        let error = ring().verify(twin.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(ring().sign(twin).is_err());
    }
    assert!(ring().verify(key(2, "b")).is_ok());
    let public = PrivateKey::from_pem(Algorithm::ES256, &pem("ES256")).unwrap();
    let ring = TokenKeys::new(public.clone());
    assert!(
        ring.verify(public.public().clone().named("other").unwrap())
            .is_err()
    );
    let ring = SealingKeys::new(sealing_key());
    assert!(
        ring.clone()
            .open(sealing_key().named("other").unwrap())
            .is_err()
    );
    assert!(
        ring.open(SealingKey::new(secret(1)).unwrap().named(KID).unwrap())
            .is_err()
    );
}

#[test]
fn keys_are_read_from_text_environment_and_files_and_read_again_when_a_file_changed() {
    let folder = std::env::temp_dir().join(format!("sessile-token-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("key");
    let write = |text: &str| {
        // Another length, so that the change shows however coarse the file's time is.
        std::fs::write(&path, text).unwrap();
    };
    let text = |first: u8| base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret(first));
    write(&text(1));
    let source = KeySource::file(&path)
        .algorithm(Algorithm::HS256)
        .kid("file");
    let old = KeySource::text(text(9))
        .algorithm(Algorithm::HS256)
        .kid("text");
    let keys = LiveKeys::signing(vec![source], vec![old]).unwrap();
    let token = with(Token::signed(keys.clone()));
    let first = issue(&token, &record(None, &[], now()));
    assert_eq!(kid(&first), "file");
    assert!(!keys.reload().unwrap());

    write(&format!("{}\n", text(2)));
    assert!(keys.reload().unwrap());
    assert!(!keys.reload().unwrap());
    assert_eq!(arrival(&token, &first), Arrival::Unknown);
    let second = issue(&token, &record(None, &[], now()));

    // What can't be read leaves the ring as it was, and is tried again.
    write("too short");
    for _ in 0..2 {
        let error = keys.reload().unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert!(!error.to_string().contains("too short"));
    }
    assert_eq!(arrival(&token, &second), Arrival::Resumed);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(keys.reload().is_err());

    let missing = KeySource::env("SESSILE_NO_SUCH_KEY").algorithm(Algorithm::HS256);
    let error = missing.signing().unwrap_err();
    assert!(error.to_string().contains("SESSILE_NO_SUCH_KEY"));
    assert!(LiveKeys::signing(vec![], vec![]).is_err());
}

#[test]
fn what_a_source_holds_is_told_by_how_it_begins() {
    let es256 = KeySource::text(pem("ES256")).algorithm(Algorithm::ES256);
    assert!(es256.signing().is_ok() && es256.verifying().is_ok());
    let error = KeySource::text(pem("ES256")).signing().unwrap_err();
    assert!(error.to_string().contains("name an algorithm"), "{error}");
    let jwk = r#"{"kty":"oct","kid":"own","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","alg":"HS256"}"#;
    assert!(KeySource::text(jwk).signing().is_ok());
    assert!(KeySource::text(jwk).kid("own").signing().is_ok());
    let error = KeySource::text(jwk).kid("other").signing().unwrap_err();
    assert!(
        error.to_string().contains("one of them has to go"),
        "{error}"
    );
    let only = jwk.replace("\"alg\"", "\"key_ops\":[\"verify\"],\"alg\"");
    assert!(KeySource::text(&only).signing().is_err());
    assert!(KeySource::text(&only).verifying().is_ok());
    assert!(
        KeySource::text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
            .sealing()
            .is_ok()
    );
}

#[test]
fn a_key_that_is_read_again_has_not_forgotten_how_often_it_sealed() {
    let key = || sealing_key().seals_at_most(2);
    let keys = LiveKeys::from(SealingKeys::new(key()));
    let token = with(Token::sealed(keys.clone()));
    let made = record(None, &[], now());
    issue(&token, &made);
    keys.replace(SealingKeys::new(key()));
    issue(&token, &made);
    keys.replace(SealingKeys::new(key()));
    assert!(token.issue(&made, &Verifier::random(), CARRIER).is_err());
}

#[test]
fn a_file_of_keys_is_rotated_by_writing_it_anew() {
    let folder = std::env::temp_dir().join(format!("sessile-jwk-set-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("keys.json");
    let jwk = |first: u8, kid: &str| {
        let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret(first));
        format!(r#"{{"kty":"oct","alg":"HS256","kid":"{kid}","k":"{k}"}}"#)
    };
    let sealing = |text: String| text.replace("HS256", "A256GCM");
    let (old, new) = (jwk(1, "old"), jwk(2, "new"));
    let write = |keys: &[&String]| {
        let keys: Vec<_> = keys.iter().map(|key| key.as_str()).collect();
        std::fs::write(&path, format!("{{ \"keys\": [{}] }}\n", keys.join(", "))).unwrap();
    };
    write(&[&old]);
    let keys = LiveKeys::<TokenKeys>::from_jwk_set(&path).unwrap();
    let token = with(Token::signed(keys.clone()));
    let first = issue(&token, &record(None, &[], now()));
    assert_eq!(made_by(&token, now()), "old");
    write(&[&new, &old]);
    assert!(keys.reload().unwrap());
    assert!(!keys.reload().unwrap(), "nothing changed since");
    assert_eq!(made_by(&token, now()), "new");
    assert_eq!(arrival(&token, &first), Arrival::Resumed);
    std::fs::write(&path, "{\"keys\": [{").unwrap();
    assert!(keys.reload().is_err());
    assert_eq!(made_by(&token, now()), "new", "a bad file changes nothing");
    write(&[&new]);
    assert!(keys.reload().unwrap());
    assert_eq!(arrival(&token, &first), Arrival::Unknown);

    write(&[&sealing(new), &sealing(old)]);
    assert!(LiveKeys::<TokenKeys>::from_jwk_set(&path).is_err());
    let keys = LiveKeys::<SealingKeys>::from_jwk_set(&path).unwrap();
    assert_eq!(made_by(&with(Token::sealed(keys)), now()), "new");
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[]}"#,
        r#"{"keys":[1]}"#,
    ] {
        std::fs::write(&path, bad).unwrap();
        let error = LiveKeys::<TokenKeys>::from_jwk_set(&path).unwrap_err();
        assert!(error.to_string().contains("keys.json"), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
