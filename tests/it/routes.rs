//! `testbed`: the routes of its contract, each with the answer that is documented for it.

use serde_json::{Value, json};

use sessile_e2e::Server;

use crate::support::strategy::{ALL, MERGING, testbeds};

#[test]
fn a_route_that_ignores_the_session_says_nothing_of_it() {
    for server in testbeds(ALL) {
        let ignored = server.client().get("/ignore").is(200);
        assert_eq!(ignored.body, "ok");
        assert!(!ignored.sets_cookie() && ignored.header("vary").is_none());
    }
}

#[test]
fn values() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        for n in 1..=2 {
            assert_eq!(client.get("/visits").is(200).body, format!("visit {n}"));
        }
        assert!(client.jar.contains_key("__Host-sid"), "{:?}", client.jar);

        client.get("/get/cart").is(404);
        client.json("PUT", "/set/cart", "{\"tea\": 2}").is(204);
        assert_eq!(client.get("/get/cart").is(200).json(), json!({ "tea": 2 }));
        client.json("PUT", "/set/cart", "{tea}").is(400);
        client.send("DELETE", "/remove/cart", &[], "").is(204);
        client.send("DELETE", "/remove/cart", &[], "").is(404);

        assert_eq!(client.post("/incr/n").is(200).body, "1");
        assert_eq!(client.post("/incr-lazy/n").is(200).body, "2");
        assert_eq!(
            client.get("/all").is(200).json(),
            json!({ "n": 2, "visits": 2 })
        );
        assert_eq!(client.post("/take/n").is(200).body, "2");
        client.post("/take/n").is(404);

        client.post("/clear").is(204);
        assert_eq!(client.get("/all").json(), json!({}));
        assert_eq!(client.arrival(), "resumed", "cleared, and still a session");
    }
}

#[test]
fn values_come_back_as_they_were_written() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        let key = "a%22b%5Cc%20%C3%A9%F0%9F%A6%80";
        for json in [
            "18446744073709551615",
            "-0.0",
            "1e308",
            "\"\\u0000é\"",
            "null",
            "[1.10]",
        ] {
            client.json("PUT", &format!("/set/{key}"), json).is(204);
            assert_eq!(client.get(&format!("/get/{key}")).is(200).body, json);
        }
        assert_eq!(client.get("/all").json(), json!({ "a\"b\\c é🦀": [1.10] }));
    }
}

#[test]
fn reading_and_removing_make_no_session() {
    for server in testbeds(ALL) {
        for (method, path) in [
            ("GET", "/get/k"),
            ("GET", "/all"),
            ("GET", "/whoami"),
            ("GET", "/sessions"),
            ("POST", "/take/k"),
            ("DELETE", "/remove/k"),
            ("POST", "/logout"),
        ] {
            let response = server.client().send(method, path, &[], "");
            assert!(!response.sets_cookie(), "{method} {path}: {response:?}");
        }
    }
}

#[test]
fn any_status_is_committed() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        for (n, code) in [200, 204, 302, 404, 500, 503].iter().enumerate() {
            client.post(&format!("/status/{code}/set/n/{n}")).is(*code);
            assert_eq!(client.get("/get/n").body, n.to_string(), "{code}");
        }
        client.post("/status/500/login-bob").is(500);
        assert_eq!(client.whoami()["subject"], "bob");
        let cookie = client.jar.clone();
        client.post("/status/404/renew").is(404);
        assert_ne!(client.jar, cookie);
        client.post("/status/503/logout").is(503);
        assert!(client.jar.is_empty());
        client.post("/status/200/dance").is(404);
        client.post("/status/99/renew").is(400);
    }
}

#[test]
fn a_panic_commits_nothing() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        client.json("PUT", "/set/k", "1").is(204);
        for client in [&mut client, &mut server.client()] {
            let response = client.post("/panic/set/k/2").is(500);
            assert!(!response.sets_cookie(), "{response:?}");
        }
        assert_eq!(client.get("/get/k").body, "1");
    }
}

#[test]
fn mixed_steps_run_in_one_request() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        let mut run = |steps: Value| -> Value {
            let steps = steps.to_string();
            client.json("POST", "/mixed", &steps).is(200).json()
        };
        let steps = json!([
            ["set", "a", { "b": [1] }], ["get", "a"], ["incr", "n"], ["incr", "n"], ["commit"],
            ["remove", "a"], ["remove", "a"], ["incr", "a\u{7}"], ["dance"], ["set", "a"],
            ["login", "ada"], ["renew"], ["get", "n"],
        ]);
        let error = |kind| json!({ "error": kind });
        let results = json!([
            null, { "b": [1] }, 1, 2, null,
            true, false, error("invalid"), error("invalid"), error("invalid"),
            null, null, 2,
        ]);
        assert_eq!(run(steps), results);
        assert_eq!(
            run(json!([["clear"], ["get", "n"], ["logout"]])),
            json!([null, null, null])
        );
        assert!(client.jar.is_empty());
        client.json("POST", "/mixed", "{}").is(400);
    }
}

#[test]
fn a_stream_saves_after_its_head_has_left() {
    for server in testbeds(MERGING) {
        let mut client = server.client();
        let stranger = client.get("/stream/2/1").is(200);
        assert_eq!(stranger.body, "too_late\ntoo_late\n");
        assert!(!stranger.sets_cookie());
        client.json("PUT", "/set/k", "1").is(204);
        let streamed = client.get("/stream/3/10").is(200);
        assert_eq!(streamed.body, "chunk 1\nchunk 2\nchunk 3\n");
        assert_eq!(streamed.chunks, 3);
        assert_eq!(client.get("/get/chunk").body, "3");
    }
}

#[test]
fn the_operators_side() {
    let server = Server::start("testbed");
    let mut client = server.client();
    let guarantees = client.get("/guarantees").is(200).json();
    assert_eq!(guarantees["revocation"], "immediate");
    assert_eq!(guarantees["writes"], "merged");
    assert_eq!(guarantees["scope"], "this_node");
    assert_eq!(guarantees["durability"], "volatile");
    assert_eq!(guarantees["any_node"], false);
    assert_eq!(guarantees["max_bytes"], 64 * 1024);
    client.get("/ready").is(200);
    client.post("/drain").fails_with(501, "unsupported");
}

#[test]
fn what_is_too_large_is_refused() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        client.json("PUT", "/set/k", "1").is(204);
        let large = json!("x".repeat(65 * 1024)).to_string();
        client
            .json("PUT", "/set/k", &large)
            .fails_with(500, "too_large");
        assert_eq!(client.get("/get/k").body, "1");
    }
}
