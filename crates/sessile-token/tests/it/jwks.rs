//! The public keys over HTTP.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::golden::{golden, pem};
use crate::support::*;

fn get(
    service: &mut JwksService<Bytes>,
    method: Method,
    if_none_match: Option<&str>,
) -> Response<Bytes> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    if let Some(value) = if_none_match {
        request
            .headers_mut()
            .insert("if-none-match", value.parse().unwrap());
    }
    run(service.call(request)).unwrap()
}

fn clock() -> ManualClock {
    ManualClock::new(now())
}

#[test]
fn public_keys_are_served_and_secrets_and_private_halves_never() {
    let mut ring = TokenKeys::new(hmac_key()).mixed();
    for golden in golden().signed {
        let algorithm: Algorithm = golden.alg.parse().unwrap();
        if algorithm != Algorithm::RS256
            && let Some(pem) = golden.private_pem
        {
            ring = ring
                .sign(PrivateKey::from_pem(algorithm, &pem).unwrap())
                .unwrap();
        }
    }
    let mut service = JwksService::new(ring).clock(clock());
    let response = get(&mut service, Method::GET, None);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "application/jwk-set+json"
    );
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let set: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    for key in keys {
        let members: Vec<_> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for member in members {
            let public = ["kty", "kid", "alg", "use", "crv", "x", "y", "n", "e"];
            assert!(public.contains(&member), "{member}");
        }
        assert_eq!(key["use"], "sig");
        // Whoever reads the set has the key.
        let alg: Algorithm = key["alg"].as_str().unwrap().parse().unwrap();
        let read = PublicKey::from_jwk(None, &key.to_string()).unwrap();
        assert_eq!(
            (read.algorithm(), read.kid()),
            (alg, key["kid"].as_str().unwrap())
        );
    }
    let secrets: JwksService<Bytes> = JwksService::new(TokenKeys::new(hmac_key()));
    assert_eq!(
        get(&mut secrets.clone(), Method::GET, None).body(),
        "{\"keys\":[]}"
    );
}

#[test]
fn a_set_that_is_known_is_not_sent_again_until_a_key_changes() {
    let key = || PrivateKey::from_pem(Algorithm::ES256, &pem("ES256")).unwrap();
    let keys = LiveKeys::from(TokenKeys::new(key()));
    let mut service = JwksService::new(keys.clone()).clock(clock());
    let first = get(&mut service, Method::GET, None);
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'));
    for known in [&*tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        let response = get(&mut service, Method::GET, Some(known));
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert!(response.body().is_empty());
        assert_eq!(response.headers()["etag"], tag);
        assert!(response.headers().contains_key("cache-control"));
    }
    assert_eq!(
        get(&mut service, Method::GET, Some("\"x\"")).status(),
        StatusCode::OK
    );

    let next = PrivateKey::from_pem(Algorithm::EdDSA, &pem("EdDSA")).unwrap();
    let next = SigningKey::from(next).active_from(at(NOW + 1000));
    keys.replace(TokenKeys::new(key()).sign(next).unwrap());
    let response = get(&mut service, Method::GET, Some(&tag));
    // It does not sign yet, and has to be known before it does.
    assert_eq!(response.status(), StatusCode::OK);
    assert_ne!(response.headers()["etag"], tag);
}

#[test]
fn a_retired_key_is_not_served() {
    let key = PrivateKey::from_pem(Algorithm::ES256, &pem("ES256")).unwrap();
    let ring = TokenKeys::new(SigningKey::from(key).retired_at(at(NOW + 1)));
    let mut before = JwksService::new(ring.clone()).clock(clock());
    assert!(get(&mut before, Method::GET, None).body().len() > 20);
    let mut after = JwksService::new(ring).clock(ManualClock::new(at(NOW + 1)));
    assert_eq!(get(&mut after, Method::GET, None).body(), "{\"keys\":[]}");
}

#[test]
fn head_has_no_body_and_other_methods_are_not_allowed() {
    let mut service = JwksService::new(TokenKeys::new(hmac_key())).clock(clock());
    let head = get(&mut service, Method::HEAD, None);
    assert_eq!(head.status(), StatusCode::OK);
    assert!(head.body().is_empty() && head.headers().contains_key("etag"));
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        let response = get(&mut service, method, None);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
    }
}
