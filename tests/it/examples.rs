//! The small examples: they do what they say.

use std::process::Command;

use serde_json::json;

use sessile_e2e::{Client, Folder, KEY, Server, built, eventually, free_port};

#[test]
fn hyper_only_counts_logs_in_and_logs_out() {
    let server = Server::start("hyper-only");
    let mut client = server.client();
    for n in 1..=2 {
        assert_eq!(client.get("/visits").is(200).body, format!("visit {n}"));
    }
    let before = client.clone();
    client.post("/login/ada").is(200);
    assert_ne!(client.jar, before.jar);
    assert_eq!(client.get("/visits").body, "visit 3");
    before.clone().get("/visits").is(409);
    client.post("/logout").is(200);
    assert!(client.jar.is_empty());
    assert!(client.get("/elsewhere").is(404).header("vary").is_none());
    assert_eq!(client.get("/visits").body, "visit 1");
}

#[test]
fn typed_keeps_a_cart() {
    let server = Server::start("typed");
    let mut client = server.client();
    assert_eq!(
        client.get("/cart").json(),
        json!({ "articles": {}, "coupon": null })
    );
    assert!(client.jar.is_empty());
    for n in 1..=2 {
        assert_eq!(client.post("/cart/tea").is(200).json(), n);
    }
    client.post("/cart/cups").is(200);
    client.send("DELETE", "/cart/cups", &[], "").is(200);
    client.send("PUT", "/coupon/SPRING", &[], "").is(200);
    let order = json!({ "articles": { "tea": 2 }, "coupon": "SPRING" });
    assert_eq!(client.get("/cart").json(), order);
    assert_eq!(client.post("/buy").json(), order);
    assert_eq!(
        client.get("/cart").json(),
        json!({ "articles": {}, "coupon": null })
    );
}

#[test]
fn stored_counts_on_after_a_restart_and_keeps_three_devices() {
    let folder = Folder::new("stored");
    let url = format!("sqlite:{}/sessions.db", folder.path().display());
    let start = || Server::with("stored", &[&url], KEY);
    let server = start();
    assert!(
        server.greeting.contains("durability  acknowledged"),
        "{}",
        server.greeting
    );
    let mut client = server.client();
    assert_eq!(client.get("/visits").body, "visit 1\n");
    drop(server); // killed
    let server = start();
    let mut client = client.at(server.port);
    assert_eq!(client.get("/visits").body, "visit 2\n");
    client.post("/login/ada").is(200);
    let mut others: Vec<_> = (0..3).map(|_| server.client()).collect();
    for other in &mut others {
        other.post("/login/ada").is(200);
    }
    assert_eq!(client.get("/devices").body, "", "the oldest one made room");
    assert_eq!(others[0].get("/devices").body.lines().count(), 3);
    others[0].post("/logout").is(200);
    assert_eq!(others[1].get("/devices").body.lines().count(), 2);
}

#[test]
fn token_api_serves_programs_and_browsers_refreshes_and_rotates_its_keys() {
    let folder = Folder::new("token-api");
    let file = folder.path().join("keys.json");
    let old = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "old",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let new = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "new",
        "d": "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs",
        "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    });
    let write = |keys: &[&serde_json::Value]| {
        let new = file.with_extension("new");
        std::fs::write(&new, json!({ "keys": keys }).to_string()).unwrap();
        std::fs::rename(new, &file).unwrap();
    };
    write(&[&old]);
    let path = file.to_str().unwrap();
    let server = Server::with("token-api", &[path, "memory:"], KEY);

    let mut program = server.client();
    let answer = program.post("/token/ada").is(200);
    assert!(!answer.sets_cookie());
    let token = answer.header("session-token").unwrap().to_owned();
    let handle = answer.body;
    let bearer = |token: &str| format!("Bearer {token}");
    let get = |path: &str, token: &str| {
        let bearer = bearer(token);
        let mut client = server.client();
        client.send("GET", path, &[("authorization", &bearer)], "")
    };
    assert_eq!(get("/whoami", &token).is(200).body, "ada");
    let counted = get("/visits", &token).is(200);
    assert_eq!(counted.body, "visit 1");
    let counted = counted.header("session-token").unwrap().to_owned();
    assert_eq!(get("/visits", &counted).body, "visit 2");

    let mut browser = server.client();
    browser.post("/login/bob").is(200);
    assert!(browser.jar.contains_key("sid"));
    assert_eq!(browser.get("/visits").body, "visit 1");
    assert_eq!(browser.get("/whoami").body, "bob");

    let refreshed = server.client().send("POST", "/refresh", &[], &handle);
    let next = refreshed.header("session-token").unwrap().to_owned();
    assert_eq!(get("/whoami", &next).body, "ada");
    // A double click gets the same handle.
    let again = server.client().send("POST", "/refresh", &[], &handle);
    assert_eq!(again.is(200).body, refreshed.body);
    server.client().send("POST", "/refresh", &[], "x").is(401);

    let mut jwks = server.client();
    let mut kids = || {
        let set = jwks.get("/.well-known/jwks.json").is(200).json();
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kids(), ["old"]);
    for (keys, expected) in [
        (&[&old, &new][..], &["old", "new"][..]),
        (&[&new, &old], &["new", "old"]),
        (&[&new], &["new"]),
    ] {
        write(keys);
        sessile_e2e::eventually("the keys are read again", || {
            (kids() == expected).then_some(())
        });
        let answer = browser.get("/visits").is(200);
        assert_ne!(answer.body, "visit 1", "the browser's token is still good");
        browser.get("/visits").is(200);
    }
    assert_eq!(
        get("/whoami", &next).body,
        "nobody",
        "signed by the old key"
    );

    let last = refreshed.body;
    let ended = server.client().send("POST", "/end", &[], &last);
    ended.is(200);
    server.client().send("POST", "/refresh", &[], &last).is(401);
}

#[test]
fn cluster_sends_requests_on_to_the_node_of_a_session_and_stops_without_losing_any() {
    let nodes = |server: &Server| [0, 1, 2].map(|at| server.port + at);
    let server = Server::start("cluster");
    let ports = nodes(&server);
    let mut client = Client::new(ports[0]);
    assert_eq!(client.get("/visits").body, "visit 1 at n1\n");
    for (n, port) in [(2, ports[1]), (3, ports[2])] {
        client = client.at(port);
        assert_eq!(client.get("/visits").body, format!("visit {n} at n1\n"));
    }
    Client::new(ports[0]).post("/stop").is(200);
    // While it drains it is asked on, and lets its clients go.
    eventually("n1 has stopped", || {
        Client::new(ports[0]).try_send("GET", "/", &[], "").err()
    });
    let next = client.get("/visits").body;
    assert_eq!(next, "visit 4 at n3\n");

    let server = Server::with("cluster", &["none"], KEY);
    let ports = nodes(&server);
    let mut client = Client::new(ports[1]);
    for (n, port) in [(1, ports[1]), (2, ports[0]), (3, ports[2])] {
        client = client.at(port);
        assert_eq!(client.get("/visits").body, format!("visit {n} at n2\n"));
    }
}

#[test]
fn swap_moves_a_jar_that_is_logged_in_from_memory_to_sqlite_to_a_token() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/swap/swap.sh");
    let run = Command::new("sh")
        .arg(script)
        .env("SWAP", built("swap"))
        .env("PORT", free_port().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let lines: Vec<_> = said.lines().collect();
    assert!(run.status.success() && lines.len() == 11, "{run:?}");
    let carts: Vec<_> = [1, 4, 7, 9, 10].map(|at| lines[at]).into();
    assert_eq!(
        carts,
        [
            "ada: tea",
            "ada: tea",
            "ada: tea, from-stored",
            "ada: tea, from-stored, from-token",
            "nobody: "
        ]
    );
    for (at, begins) in [(2, "n1."), (8, "eyJ")] {
        assert!(lines[at].starts_with(begins), "{said}");
    }
    assert!(lines[5].ends_with("66 characters"), "{said}");
}
