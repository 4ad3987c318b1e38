//! `testbed --config`: the word in the file is all that changes.

use std::fs;

use serde_json::json;
use sessile_e2e::{Configured, Folder, KEY, RedisServer, eventually, free_port, refusal};

/// Every section at once; each strategy uses its own.
fn file(redis: &str) -> String {
    format!(
        r#"
        [lifetime]
        idle = "20m"
        absolute = "4h"
        [keys]
        current = {{ id = "2026-11", env = "SESSILE_KEY" }}
        [sticky]
        node = "n1"
        backing = "{redis}"
        [stored]
        url = "{redis}"
        [token]
        issuer = "https://app.example"
        audience = "https://app.example"
        life = "10m"
        revocation = {{ url = "{redis}", within = "0s" }}
        [token.keys]
        sign = {{ kid = "2026-11", alg = "HS256", file = "{{folder}}/signing.key" }}
        "#
    )
}

/// The routes that every strategy answers in the same way.
fn drive(bed: &Configured) {
    let mut client = bed.client();
    for n in 1..=2 {
        assert_eq!(client.get("/visits").is(200).body, format!("visit {n}"));
    }
    client.json("PUT", "/set/cart", "{\"tea\": 2}").is(204);
    assert_eq!(client.get("/get/cart").json(), json!({ "tea": 2 }));
    assert_eq!(client.post("/incr/n").is(200).body, "1");
    let anonymous = client.whoami();
    client.post("/login/ada").is(204);
    let ada = client.whoami();
    assert_eq!(ada["subject"], "ada");
    assert_ne!(ada["id"], anonymous["id"]);
    assert_eq!(client.get("/get/n").body, "1");
    client.post("/renew").is(204);
    assert_eq!(client.whoami()["id"], ada["id"]);
    client.send("DELETE", "/remove/cart", &[], "").is(204);
    assert_eq!(client.post("/take/n").is(200).body, "1");
    assert_eq!(client.get("/all").json(), json!({ "visits": 2 }));
    client.post("/logout").is(204);
    assert!(client.jar.is_empty());
    assert_eq!(client.arrival(), "new");
    client.get("/ready").is(200);
}

#[test]
fn one_file_serves_with_every_word() {
    let redis = RedisServer::start(&[]);
    for (word, writes, form) in [
        ("sticky", "merged", "n1."),
        ("stored", "merged", ""),
        ("token", "last_response_wins", "eyJ"),
    ] {
        println!("{word}");
        let config = format!("strategy = {word:?}\n{}", file(&redis.url()));
        let bed = Configured::start(&config);
        let mut client = bed.client();
        assert_eq!(client.get("/guarantees").json()["writes"], writes);
        client.get("/visits").is(200);
        assert!(
            client.jar["__Host-sid"].starts_with(form),
            "{:?}",
            client.jar
        );
        let node = if word == "sticky" {
            json!("n1")
        } else {
            json!(null)
        };
        let who = client.whoami();
        assert_eq!(who["node"], node);
        let life = who["expires_at"].as_u64().unwrap() - who["created_at"].as_u64().unwrap();
        let minutes = if word == "token" { 10 } else { 20 };
        assert!(life.abs_diff(minutes * 60_000) < 5_000, "{life}");
        let said = bed.errors();
        assert!(
            said.contains("sessions are set up") && said.contains("any node"),
            "{said}"
        );
        drive(&bed);
    }
}

#[test]
fn a_file_of_one_process_or_one_store_or_sealed_tokens() {
    for config in [
        "strategy = \"sticky\"",
        "strategy = \"stored\"\nstored.url = \"sqlite:{folder}/sessions.db\"",
        "strategy = \"token\"\n[token]\nformat = \"sealed\"\nissuer = \"i\"\naudience = \"a\"\nkeys.sign = { kid = \"k\", alg = \"A256GCM\", file = \"{folder}/sealing.key\" }",
    ] {
        println!("{config}");
        drive(&Configured::start(config));
    }
}

#[test]
fn nodes_with_peers_in_their_files_send_requests_on() {
    let ports = [free_port(), free_port()];
    let folder = Folder::new("peers");
    let nodes: Vec<_> = ["n1", "n2"]
        .iter()
        .zip(ports)
        .map(|(node, port)| {
            let file = folder.path().join(node);
            let config = format!(
                "strategy = \"sticky\"\nkeys.current = {{ id = \"k\", env = \"SESSILE_KEY\" }}\n[sticky]\nnode = {node:?}\n[sticky.peers]\nn1 = \"http://127.0.0.1:{}\"\nn2 = \"http://127.0.0.1:{}\"",
                ports[0], ports[1]
            );
            fs::write(&file, config).unwrap();
            let arguments = ["--config", file.to_str().unwrap()];
            sessile_e2e::Server::on(port, "testbed", &arguments)
        })
        .collect();
    let mut client = nodes[0].client();
    client.get("/visits").is(200);
    let mut elsewhere = client.at(nodes[1].port);
    assert_eq!(elsewhere.get("/visits").is(200).body, "visit 2");
    assert_eq!(elsewhere.whoami()["node"], "n1", "it was answered there");
}

#[test]
fn a_wrong_file_is_refused_with_all_that_is_wrong_and_no_secret() {
    let folder = Folder::new("wrong");
    let file = folder.path().join("sessile.toml");
    let config =
        "strategy = \"stikcy\"\nidle = \"30m\"\nkeys.current = { id = \"k\", value = \"c2hvcnQ\" }";
    fs::write(&file, config).unwrap();
    let (code, said) = refusal("testbed", &["--config", file.to_str().unwrap()], KEY);
    assert_eq!(code, Some(1), "{said}");
    for part in ["strategy: ", "lifetime.idle", "keys.current"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("c2hvcnQ"), "{said}");
    fs::write(&file, "secret = hunter2").unwrap();
    let (_, said) = refusal("testbed", &["--config", file.to_str().unwrap()], KEY);
    assert!(
        said.contains("no TOML") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn a_redis_that_evicts_sessions_is_warned_about_at_the_start() {
    let redis = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]);
    let config = format!("strategy = \"stored\"\nstored.url = {:?}", redis.url());
    let bed = Configured::start(&config);
    eventually("the warning", || {
        let said = bed.errors();
        (said.contains("WARN") && said.contains("allkeys-lru")).then_some(())
    });
    bed.client().get("/visits").is(200);
}
