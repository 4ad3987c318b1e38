//! E03, E04, F09, F12: which keys are taken, and what is shown of them.

use crate::golden::{Golden, golden, pem};
use crate::support::*;

fn reason<T>(result: Result<T>) -> String {
    let error = result.err().expect("it was taken");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

#[test]
fn e03_a_key_of_another_kind_is_no_secret() {
    let der = |text: &str| {
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        base64_simd::STANDARD.decode_to_vec(body).unwrap()
    };
    for Golden {
        public_pem,
        private_pem,
        public_jwk,
        ..
    } in golden().signed
    {
        let (Some(public), Some(private), Some(jwk)) = (public_pem, private_pem, public_jwk) else {
            continue;
        };
        for text in [
            public.clone(),
            private.clone(),
            format!("  {public}"),
            public.replace('\n', "\r\n"),
            jwk.to_string(),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ83Ew0yYxPZvXw1".into(),
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".into(),
        ] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                assert!(reason(HmacKey::new(algorithm, text.as_bytes())).contains("random bytes"));
            }
            assert!(reason(SealingKey::new(text.as_bytes())).contains("random bytes"));
            let source = KeySource::text(text).algorithm(Algorithm::HS256);
            assert!(source.kid("k").signing().is_err());
        }
        assert!(reason(HmacKey::new(Algorithm::HS256, der(&public))).contains("DER"));
        assert!(reason(HmacKey::new(Algorithm::HS512, der(&private))).contains("random"));
    }
}

#[test]
fn e03_a_mac_under_a_public_key_is_no_signature() {
    for golden in golden().signed {
        let (Some(public), Some(jwk)) = (&golden.public_pem, &golden.public_jwk) else {
            continue;
        };
        let algorithm: Algorithm = golden.alg.parse().unwrap();
        let key = PublicKey::from_pem(algorithm, public)
            .unwrap()
            .named(KID)
            .unwrap();
        let ring = TokenKeys::new(PrivateKey::from_pem(Algorithm::ES256, &pem("ES256")).unwrap());
        // The ES256 key itself is in the ring already.
        let ring = if algorithm == Algorithm::ES256 {
            ring
        } else {
            ring.verify(key).unwrap()
        };
        let token = with(Token::signed(ring));
        let x = jwk.get("x").or(jwk.get("n")).unwrap().as_str().unwrap();
        let raw = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(x).unwrap();
        for secret in [
            public.as_bytes(),
            public.trim().as_bytes(),
            x.as_bytes(),
            &raw,
            b"",
        ] {
            for alg in ["HS256", &golden.alg] {
                let header = HEADER.replace("HS256", alg);
                let text = forge_with(secret, header, good_claims());
                assert_eq!(arrival(&token, &text), Arrival::Unknown);
            }
        }
    }
}

#[test]
fn e04_weak_secrets_are_refused_with_the_reason() {
    for (algorithm, least) in [
        (Algorithm::HS256, 32),
        (Algorithm::HS384, 48),
        (Algorithm::HS512, 64),
    ] {
        let bytes = |length: usize| (0..length).map(|byte| byte as u8).collect::<Vec<_>>();
        assert!(HmacKey::new(algorithm, bytes(least)).is_ok());
        assert!(HmacKey::new(algorithm, bytes(least + 70)).is_ok());
        for short in [0, 1, least - 1] {
            let reason = reason(HmacKey::new(algorithm, bytes(short)));
            assert!(reason.contains(&format!("{short} bytes")) && reason.contains("openssl"));
        }
        assert!(reason(HmacKey::new(algorithm, vec![7; least])).contains("equal"));
        assert!(reason(HmacKey::from_base64url(algorithm, "")).contains("0 bytes"));
        assert!(reason(HmacKey::from_base64url(algorithm, "a b c")).contains("base64url"));
    }
    assert!(reason(HmacKey::new(Algorithm::ES256, secret(0))).contains("takes no secret"));
    for length in [0, 16, 31, 33, 64] {
        let bytes: Vec<u8> = (0..length).collect();
        assert!(reason(SealingKey::new(bytes)).contains("exactly 32"));
    }
    assert!(reason(SealingKey::new(vec![0; 32])).contains("equal"));
}

#[test]
fn e04_weak_keys_of_two_halves_are_refused_with_the_reason() {
    let weak = golden().weak;
    let found = reason(PublicKey::from_pem(
        Algorithm::PS256,
        &weak.rsa_1024_public_pem,
    ));
    assert!(found.contains("1024 bits") && found.contains("2048"));
    assert!(
        reason(PrivateKey::from_pem(Algorithm::PS256, &weak.rsa_1024_pem))
            .contains("2048 to 8192 bits")
    );
    // Another curve, another type, the wrong half, and none at all.
    assert!(PublicKey::from_pem(Algorithm::ES384, &public_pem("ES256")).is_err());
    assert!(PublicKey::from_pem(Algorithm::EdDSA, &public_pem("ES256")).is_err());
    assert!(PublicKey::from_pem(Algorithm::PS256, &public_pem("EdDSA")).is_err());
    assert!(PrivateKey::from_pem(Algorithm::ES384, &pem("ES256")).is_err());
    assert!(PrivateKey::from_pem(Algorithm::ES256, &pem("EdDSA")).is_err());
    assert!(reason(PublicKey::from_pem(Algorithm::ES256, &pem("ES256"))).contains("private"));
    assert!(PrivateKey::from_pem(Algorithm::ES256, &public_pem("ES256")).is_err());
    assert!(PrivateKey::from_pem(Algorithm::ES256, "").is_err());
    for (alg, cut) in [("ES256", 3), ("EdDSA", 3), ("PS256", 40)] {
        let text = public_pem(alg);
        let text = [&text[..text.len() - 30 - cut], &text[text.len() - 30..]].concat();
        assert!(
            PublicKey::from_pem(alg.parse().unwrap(), &text).is_err(),
            "{alg}"
        );
    }
}

#[test]
fn e24_rs256_verifies_and_does_not_sign() {
    assert!(reason(PrivateKey::from_pem(Algorithm::RS256, &pem("RS256"))).contains("PS256"));
    let jwk = golden()
        .signed
        .into_iter()
        .find(|golden| golden.alg == "RS256")
        .unwrap();
    let jwk = jwk.private_jwk.unwrap().to_string();
    assert!(reason(PrivateKey::from_jwk(Some(Algorithm::RS256), &jwk)).contains("PS256"));
    assert!(PublicKey::from_pem(Algorithm::RS256, &public_pem("RS256")).is_ok());
}

#[test]
fn f09_a_key_has_one_use() {
    // A JWK says what it is for; what it is not for is refused.
    let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret(0));
    let jwk = |more: &str| format!(r#"{{"kty":"oct","k":"{k}"{more}}}"#);
    let hs256 = Some(Algorithm::HS256);
    assert!(HmacKey::from_jwk(hs256, &jwk("")).is_ok());
    assert!(HmacKey::from_jwk(None, &jwk(r#","alg":"HS256","use":"sig""#)).is_ok());
    assert!(SealingKey::from_jwk(&jwk(r#","alg":"A256GCM","use":"enc""#)).is_ok());
    for more in [
        r#","use":"enc""#,
        r#","alg":"HS512""#,
        r#","alg":"A256GCM""#,
        r#","key_ops":["encrypt"]"#,
        r#","alg":"none""#,
        r#","kid":"""#,
        r#","kty":"oct""#,
    ] {
        assert!(HmacKey::from_jwk(hs256, &jwk(more)).is_err(), "{more}");
    }
    for more in [
        r#","use":"sig""#,
        r#","alg":"HS256""#,
        r#","key_ops":["sign"]"#,
    ] {
        assert!(SealingKey::from_jwk(&jwk(more)).is_err(), "{more}");
    }
    assert!(reason(HmacKey::from_jwk(None, &jwk(""))).contains("\"alg\""));
    assert!(PublicKey::from_jwk(hs256, &jwk("")).is_err());
}

#[test]
fn f12_no_key_is_shown() {
    let hmac = format!("{:?}", hmac_key());
    let private = PrivateKey::from_pem(Algorithm::ES256, &pem("ES256")).unwrap();
    let source = KeySource::text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    let shown = [
        hmac.clone(),
        format!("{private:?}"),
        format!("{:?}", sealing_key()),
        format!("{source:?}"),
        format!("{:?}", TokenKeys::new(private)),
        format!("{:?} {:?}", signed(), sealed()),
    ]
    .concat();
    assert!(hmac.contains("***"));
    for secret in ["AAECAwQFBgc", "[0, 1, 2", "0001020304", "BEGIN"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_name_that_nobody_gave_is_the_thumbprint() {
    for golden in golden().signed {
        let algorithm: Algorithm = golden.alg.parse().unwrap();
        let kid = match (&golden.secret, &golden.public_pem) {
            (Some(secret), _) => HmacKey::from_base64url(algorithm, secret)
                .unwrap()
                .kid()
                .to_owned(),
            (_, Some(pem)) => PublicKey::from_pem(algorithm, pem)
                .unwrap()
                .kid()
                .to_owned(),
            _ => unreachable!(),
        };
        assert_eq!(kid, golden.thumbprint, "{algorithm}");
    }
}

fn public_pem(alg: &str) -> String {
    let mut all = golden().signed.into_iter();
    all.find(|golden| golden.alg == alg)
        .and_then(|golden| golden.public_pem)
        .unwrap()
}
