//! `testbed --strategy token`: what is there for tokens alone.

use std::fs;

use serde_json::{Value, json};

use sessile_e2e::{Folder, KEY, Server};

use crate::support::strategy::testbeds;

const SEALED: &[&str] = &["--strategy=token", "--sealed"];
const SIGNED: &[&str] = &["--strategy=token"];

#[test]
fn the_guarantees_say_what_a_token_does_not_do() {
    let alone = testbeds(&[SIGNED, SEALED]);
    let revocable = Server::with(
        "testbed",
        &["--strategy=token", "--revocation=memory:", "--within=2s"],
        KEY,
    );
    let within = json!({ "within_ms": 2000 });
    let alone = alone.map(|server| (server, json!("at_expiry"), "all_nodes"));
    for (server, revocation, scope) in alone.chain([(revocable, within, "this_node")]) {
        let mut client = server.client();
        let guarantees = client.get("/guarantees").is(200).json();
        assert_eq!(guarantees["revocation"], revocation);
        assert_eq!(guarantees["writes"], "last_response_wins");
        assert_eq!(guarantees["scope"], scope);
        let room = guarantees["max_bytes"].as_u64().unwrap();
        assert!((2000..4096).contains(&room), "{room}");
        client.get("/ready").is(200);
        client.post("/login/ada").is(204);
        if revocation == "at_expiry" {
            client.get("/sessions").fails_with(501, "unsupported");
            client.post("/revoke-all").fails_with(501, "unsupported");
        }
    }
}

#[test]
fn a_logout_of_a_token_alone_is_its_clients_and_a_copy_lives_until_it_expires() {
    for server in testbeds(&[SIGNED, SEALED]) {
        let mut client = server.client();
        client.post("/login/ada").is(204);
        let mut copy = client.clone();
        client.post("/logout").is(204);
        assert!(client.jar.is_empty());
        assert_eq!(copy.arrival(), "resumed");
    }
}

#[test]
fn what_is_written_after_the_head_is_too_late() {
    for server in testbeds(&[SIGNED, SEALED]) {
        let mut client = server.client();
        client.json("PUT", "/set/k", "1").is(204);
        let streamed = client.get("/stream/2/1").is(200);
        assert_eq!(streamed.body, "too_late\ntoo_late\n");
    }
}

#[test]
fn a_signed_token_is_taken_as_a_bearer_token_and_answered_the_same_way() {
    let server = Server::with("testbed", SIGNED, KEY);
    let mut browser = server.client();
    assert_eq!(browser.get("/visits").body, "visit 1");
    let bearer = |token: &str| format!("Bearer {token}");
    let mut program = server.client();
    let token = bearer(&browser.jar["__Host-sid"]);
    let answer = program
        .send("GET", "/visits", &[("authorization", &token)], "")
        .is(200);
    assert_eq!(answer.body, "visit 2");
    assert!(!answer.sets_cookie());
    let vary = answer.all("vary").collect::<Vec<_>>().join(", ");
    assert_eq!(vary.to_ascii_lowercase(), "cookie, authorization");
    let next = bearer(answer.header("session-token").unwrap());
    let answer = program
        .send("GET", "/visits", &[("authorization", &next)], "")
        .is(200);
    assert_eq!(answer.body, "visit 3");

    let both = browser.send("GET", "/visits", &[("authorization", &next)], "");
    both.fails_with(400, "ambiguous");
    let out = program.send("POST", "/logout", &[("authorization", &next)], "");
    assert_eq!(out.is(204).header("session-token"), Some(""));
}

#[test]
fn a_sealed_token_opens_in_its_own_cookie_and_nowhere_else() {
    let server = Server::with("testbed", SEALED, KEY);
    let mut browser = server.client();
    browser.post("/login/ada").is(204);
    let bearer = format!("Bearer {}", browser.jar["__Host-sid"]);
    let found = server
        .client()
        .send("GET", "/whoami", &[("authorization", &bearer)], "");
    assert_eq!(found.json()["arrival"], "unknown");
}

#[test]
fn public_keys_are_published_and_secrets_never() {
    let server = Server::with("testbed", SIGNED, KEY);
    let mut client = server.client();
    let set = client.get("/.well-known/jwks.json").is(200);
    assert_eq!(set.json(), json!({ "keys": [] }));

    // RFC 8037, appendix A.
    let private = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "2026-11",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let folder = Folder::new("keys");
    let file = folder.path().join("keys.json");
    fs::write(&file, json!({ "keys": [private] }).to_string()).unwrap();
    let from_file = Server::with(
        "testbed",
        &["--strategy=token", "--jwt-keys", file.to_str().unwrap()],
        KEY,
    );
    let from_variable = Server::with("testbed", SIGNED, &private.to_string());
    for server in [from_file, from_variable] {
        let mut client = server.client();
        let answer = client.get("/.well-known/jwks.json").is(200);
        assert!(!answer.sets_cookie() && answer.header("vary").is_none());
        let set = answer.json();
        let key = &set["keys"][0];
        assert_eq!((&key["kid"], &key["x"]), (&private["kid"], &private["x"]));
        assert_eq!(key["d"], Value::Null);
        assert_eq!(client.get("/visits").body, "visit 1");
        assert_eq!(client.get("/visits").body, "visit 2");
    }
}
