//! Tokens that other libraries made, and what they say of ours.

use serde::Deserialize;
use serde_json::Value;

use crate::support::*;

/// Made by `jwcrypto` and `joserfc` for this test.
#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) signed: Vec<Golden>,
    sealed: Vec<Sealed>,
    pub(crate) weak: Weak,
}

#[derive(Deserialize)]
pub(crate) struct Golden {
    pub(crate) alg: String,
    pub(crate) secret: Option<String>,
    pub(crate) private_pem: Option<String>,
    pub(crate) public_pem: Option<String>,
    traditional_pem: Option<String>,
    public_traditional_pem: Option<String>,
    pub(crate) private_jwk: Option<Value>,
    pub(crate) public_jwk: Option<Value>,
    kid: String,
    pub(crate) thumbprint: String,
    token: String,
}

#[derive(Deserialize)]
struct Sealed {
    by: String,
    secret: String,
    token: String,
}

#[derive(Deserialize)]
pub(crate) struct Weak {
    pub(crate) rsa_1024_pem: String,
    pub(crate) rsa_1024_public_pem: String,
}

pub(crate) fn golden() -> File {
    serde_json::from_str(include_str!("../vectors/golden/tokens.json")).unwrap()
}

pub(crate) fn pem(alg: &str) -> String {
    let mut all = golden().signed.into_iter();
    let golden = all.find(|golden| golden.alg == alg).unwrap();
    golden.private_pem.unwrap()
}

#[track_caller]
fn is_the_golden_session(opened: &Opened) {
    let record = &opened.held().expect("it was refused").record;
    assert_eq!(record.sid, SID.parse().unwrap());
    assert_eq!(record.subject.as_deref(), Some("ada"));
    assert_eq!(record.version, 3);
    assert_eq!(record.data.len(), 2);
    // Spaces and all.
    assert_eq!(
        record.data.get("käse").unwrap().as_str(),
        "[1.5, {\"a\": null}]"
    );
}

#[test]
fn a_token_that_another_library_signed_is_read_with_every_form_of_its_key() {
    for golden in golden().signed {
        let algorithm: Algorithm = golden.alg.parse().unwrap();
        let mut keys: Vec<VerifyingKey> = Vec::new();
        if let Some(secret) = &golden.secret {
            let key = HmacKey::from_base64url(algorithm, secret).unwrap();
            keys.push(key.named(&golden.kid).unwrap().into());
        }
        for pem in [&golden.public_pem, &golden.public_traditional_pem]
            .into_iter()
            .flatten()
        {
            let key = PublicKey::from_pem(algorithm, pem).unwrap();
            keys.push(key.named(&golden.kid).unwrap().into());
        }
        if let Some(jwk) = &golden.public_jwk {
            let key = PublicKey::from_jwk(Some(algorithm), &jwk.to_string()).unwrap();
            keys.push(key.named(&golden.kid).unwrap().into());
        }
        for pem in [&golden.private_pem, &golden.traditional_pem]
            .into_iter()
            .flatten()
        {
            if algorithm != Algorithm::RS256 {
                let key = PrivateKey::from_pem(algorithm, pem)
                    .unwrap()
                    .named(&golden.kid)
                    .unwrap();
                keys.push(key.public().clone().into());
            }
        }
        if let (Some(jwk), true) = (&golden.private_jwk, algorithm != Algorithm::RS256) {
            let key = PrivateKey::from_jwk(Some(algorithm), &jwk.to_string()).unwrap();
            keys.push(key.public().clone().named(&golden.kid).unwrap().into());
        }
        assert!(!keys.is_empty());
        for key in keys {
            assert!(key.verify_jws(&golden.token).is_some());
            let own = HmacKey::new(Algorithm::HS256, secret(9)).unwrap();
            let ring = TokenKeys::new(own).mixed().verify(key).unwrap();
            is_the_golden_session(&open(&with(Token::signed(ring)), &golden.token));
        }
    }
}

#[test]
fn a_token_that_another_library_sealed_is_read() {
    for Sealed { by, secret, token } in golden().sealed {
        let key = SealingKey::from_base64url(&secret)
            .unwrap()
            .named(KID)
            .unwrap();
        println!("sealed by {by}");
        is_the_golden_session(&open(&with(Token::sealed(SealingKeys::new(key))), &token));
    }
}

/// Every key that signs here makes tokens that another library verifies, and that we read again.
#[test]
fn a_token_that_is_signed_here_is_verified_by_another_library() {
    use jsonwebtoken::{Algorithm as Theirs, DecodingKey, Validation, decode};

    for golden in golden().signed {
        let algorithm: Algorithm = golden.alg.parse().unwrap();
        let (theirs, signing, decoding): (Theirs, SigningKey, DecodingKey) =
            match (&golden.secret, &golden.private_pem) {
                (Some(secret), _) => {
                    let key = HmacKey::from_base64url(algorithm, secret).unwrap();
                    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(secret).unwrap();
                    let theirs = golden.alg.parse().unwrap();
                    (theirs, key.into(), DecodingKey::from_secret(&bytes))
                }
                (_, Some(pem)) if algorithm != Algorithm::RS256 => {
                    let key = PrivateKey::from_pem(algorithm, pem).unwrap();
                    let jwk = serde_json::from_str(&key.public().to_jwk()).unwrap();
                    let theirs = golden.alg.parse().unwrap();
                    (theirs, key.into(), DecodingKey::from_jwk(&jwk).unwrap())
                }
                _ => continue,
            };
        let token = with(Token::signed(TokenKeys::new(signing)));
        let text = issue(&token, &record(Some("ada"), &[("n", "1")], now()));
        is_resumed(&token, &text);
        let mut validation = Validation::new(theirs);
        validation.validate_exp = false; // it asks the system's clock
        validation.set_audience(&[ISSUER]);
        validation.set_issuer(&[ISSUER]);
        let claims = decode::<Value>(&text, &decoding, &validation)
            .unwrap()
            .claims;
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["data"]["n"], 1);
        assert_eq!(claims["exp"], NOW + 900);
    }
}

fn is_resumed(token: &Token, text: &str) {
    assert_eq!(arrival(token, text), Arrival::Resumed);
}

/// Fixes the claims to the letter: a token made by one release is read by the next.
#[test]
fn the_claims_are_written_to_the_letter() {
    let credential = Credential {
        sid: SID.parse().unwrap(),
        verifier: Verifier::from_bytes([0; 16]),
    };
    let mut made = Record::new(&credential, now(), &lifetime());
    made.subject = Some("a\"da".into());
    made.version = 7;
    made.data = record(
        None,
        &[("käse", "[1.50, \"\\u00e9\"]"), ("a", "null")],
        now(),
    )
    .data;
    let text = issue(&signed(), &made);
    let parts: Vec<_> = text.split('.').collect();
    let decode =
        |part| String::from_utf8(base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap());
    assert_eq!(decode(parts[0]).unwrap(), HEADER);
    let claims = decode(parts[1]).unwrap();
    let (before, rest) = claims.split_once("\"jti\":\"").unwrap();
    assert_eq!(
        before,
        "{\"iss\":\"https://app.example\",\"aud\":\"https://app.example\",\"sub\":\"a\\\"da\",\"sid\":\"AQEBAQEBAQEBAQEBAQEBAQ\","
    );
    assert_eq!(
        &rest[22..],
        "\",\"iat\":1767225600,\"nbf\":1767225600,\"exp\":1767226500,\"sct\":1767225600,\"sxp\":1767268800,\"ver\":7,\"data\":{\"a\":null,\"käse\":[1.50, \"\\u00e9\"]}}"
    );
}
