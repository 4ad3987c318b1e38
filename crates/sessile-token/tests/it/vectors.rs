//! E22: public test vectors (`tests/vectors`, each with its licence). The layer of signatures is
//! asked with the key of the vector; the layer of sessions refuses all of them, for none is one.

use serde_json::Value;

use crate::support::*;

/// Marked valid, and refused here: junk within base64url, and keys that name another algorithm
/// than the token does.
const STRICTER: [u64; 6] = [346, 347, 350, 351, 372, 373];
/// Marked invalid for a padding that the published text no longer has: the MAC is good.
const LOST_IN_CONVERSION: [u64; 2] = [367, 370];

#[derive(Debug, Default)]
struct Count {
    accepted: usize,
    refused: usize,
    unsupported: usize,
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The key of a vector, if it is one that is taken here.
fn key(jwk: &Value) -> Option<VerifyingKey> {
    let mut jwk = jwk.clone();
    let members = jwk.as_object_mut()?;
    // Wycheproof gives both halves; who verifies has one.
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        members.remove(private);
    }
    let text = jwk.to_string();
    KeySource::text(text).verifying().ok()
}

fn is_supported(alg: &str) -> bool {
    alg.parse::<Algorithm>().is_ok()
}

/// A secret of one byte, over and over: no key here, whatever it has signed.
fn is_all_equal(jwk: &Value) -> bool {
    let k = jwk["k"].as_str().unwrap_or_default();
    let bytes = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(k)
        .unwrap_or_default();
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == bytes[0])
}

/// What the header of a token says, without a check.
fn alg(jws: &str) -> String {
    let header = jws.split('.').next().unwrap_or_default();
    let header = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(header)
        .unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    header["alg"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn e22_of_the_signature_vectors_none_is_wrongly_accepted_and_none_that_is_supported_refused() {
    let mut count = Count::default();
    for file in [
        include_str!("../vectors/wycheproof/json_web_signature_test.json"),
        include_str!("../vectors/wycheproof/json_web_crypto_test.json"),
    ] {
        let is_crypto = file.contains("JsonWebCrypto");
        for group in read(file)["testGroups"].as_array().unwrap() {
            let jwk = group.get("public").unwrap_or(&group["private"]);
            let key = key(jwk);
            for test in group["tests"].as_array().unwrap() {
                let Some(jws) = test["jws"].as_str() else {
                    continue;
                };
                let id = test["tcId"].as_u64().unwrap();
                refused(jws);
                let accepted = key
                    .as_ref()
                    .is_some_and(|key| key.verify_jws(jws).is_some());
                let is_valid = test["result"] == "valid";
                if !is_crypto && LOST_IN_CONVERSION.contains(&id) {
                    continue;
                }
                assert!(is_valid || !accepted, "{id} was accepted: {test}");
                if is_valid && !accepted {
                    let stricter = !is_crypto && STRICTER.contains(&id);
                    let unsupported =
                        !is_supported(&alg(jws)) || jwk.get("keys").is_some() || is_all_equal(jwk);
                    assert!(stricter || unsupported, "{id} was refused: {test}");
                    count.unsupported += 1;
                } else if accepted {
                    count.accepted += 1;
                } else {
                    count.refused += 1;
                }
            }
        }
    }
    println!("signatures: {count:?}, 0 wrongly accepted");
    assert!(count.accepted >= 20 && count.refused >= 355, "{count:?}");
}

#[test]
fn e22_of_the_vectors_of_keys_weak_mixed_and_ambiguous_ones_are_refused() {
    let mut count = Count::default();
    let file = read(include_str!("../vectors/wycheproof/json_web_key_test.json"));
    for group in file["testGroups"].as_array().unwrap() {
        let set = group.get("public").unwrap_or(&group["private"]);
        // Some are a JSON text within the JSON.
        let set = set.as_str().map_or(set.clone(), read);
        for test in group["tests"].as_array().unwrap() {
            let jws = test["jws"].as_str().unwrap().trim_matches('"');
            let accepted = ring(&set).is_some_and(|keys| {
                let mut keys = keys.iter();
                keys.any(|key| key.verify_jws(jws).is_some())
            });
            let is_valid = test["result"] == "valid";
            assert_eq!(accepted, is_valid, "{}: {}", test["tcId"], group["comment"]);
            if accepted {
                count.accepted += 1;
            } else {
                count.refused += 1;
            }
        }
    }
    println!("keys: {count:?}, 0 wrongly accepted");
    assert_eq!(count.accepted + count.refused, 26);
}

/// All keys of a set, if they make a ring.
fn ring(set: &Value) -> Option<Vec<VerifyingKey>> {
    let keys: Option<Vec<_>> = set["keys"].as_array()?.iter().map(key).collect();
    let (first, others) = keys.as_ref()?.split_first()?;
    let own = HmacKey::new(Algorithm::HS256, secret(9)).unwrap();
    let mut ring = TokenKeys::new(own).mixed().verify(first.clone()).ok()?;
    for key in others {
        ring = ring.verify(key.clone()).ok()?;
    }
    // Mixed was said for our own key; the set itself has to be of one kind.
    let kinds: std::collections::HashSet<_> = set["keys"]
        .as_array()?
        .iter()
        .map(|jwk| jwk["kty"] == "oct")
        .collect();
    (kinds.len() == 1).then_some(keys?)
}

#[test]
fn f05_of_the_vectors_of_encryption_none_is_a_session_and_none_panics() {
    let mut count = 0;
    for file in [
        include_str!("../vectors/wycheproof/json_web_encryption_test.json"),
        include_str!("../vectors/wycheproof/json_web_crypto_test.json"),
    ] {
        for group in read(file)["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let Some(jwe) = test["jwe"].as_str() else {
                    continue;
                };
                for token in [sealed(), signed()] {
                    assert_eq!(arrival(&token, jwe), Arrival::Unknown, "{test}");
                }
                count += 1;
            }
        }
    }
    println!("encryption: {count} refused");
    assert!(count >= 139);
}

#[test]
fn e22_the_examples_of_the_rfcs_verify() {
    let mut count = Count::default();
    for file in [
        include_str!("../vectors/cookbook/jws/4_1.rsa_v15_signature.json"),
        include_str!("../vectors/cookbook/jws/4_2.rsa-pss_signature.json"),
        include_str!("../vectors/cookbook/jws/4_3.ecdsa_signature.json"),
        include_str!("../vectors/cookbook/jws/4_4.hmac-sha2_integrity_protection.json"),
        include_str!("../vectors/cookbook/curve25519/jws.json"),
        include_str!("../vectors/cookbook/rfc7797/4.2.hmac-sha2_b64_false.json"),
        include_str!("../vectors/cookbook/rfc7797/hmac-sha2_b64_false.json"),
    ] {
        let file = read(file);
        let Some(jws) = file["output"]["compact"].as_str() else {
            continue;
        };
        let mut jwk = file["input"]["key"].clone();
        jwk["alg"] = file["input"]["alg"].clone();
        let key = key(&jwk);
        let accepted = key.is_some_and(|key| key.verify_jws(jws).is_some());
        let alg = jwk["alg"].as_str().unwrap();
        let is_plain = file["signing"]["protected"]["b64"].is_null();
        assert_eq!(accepted, is_supported(alg) && is_plain, "{}", file["title"]);
        refused(jws);
        if accepted {
            count.accepted += 1
        } else {
            count.refused += 1
        }
    }
    let file = read(include_str!("../vectors/rfc/rfc7515_appendix_a.json"));
    for test in file["tests"].as_array().unwrap() {
        let jws = test["token"].as_str().unwrap();
        let mut jwk = test["jwk"].clone();
        jwk["alg"] = test["alg"].clone();
        let accepted = key(&jwk).is_some_and(|key| key.verify_jws(jws).is_some());
        let alg = test["alg"].as_str().unwrap();
        assert_eq!(accepted, is_supported(alg), "{test}");
        refused(jws);
        if accepted {
            count.accepted += 1
        } else {
            count.refused += 1
        }
    }
    println!("examples: {count:?}, 0 wrongly accepted");
    assert!(count.accepted >= 6, "{count:?}");
}
