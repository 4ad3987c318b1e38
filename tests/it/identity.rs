//! `testbed`: who a client is, for how long, and on how many devices.

use serde_json::json;

use sessile_e2e::{KEY, Server, eventually, pause};

use crate::support::strategy::{ALL, REVOKING, testbeds};

#[test]
fn identity() {
    for server in testbeds(REVOKING) {
        let mut client = server.client();
        let nobody = json!({
            "id": null, "subject": null, "arrival": "new",
            "created_at": null, "expires_at": null, "node": null,
        });
        assert_eq!(client.whoami(), nobody);
        assert!(client.jar.is_empty());

        client.json("PUT", "/set/k", "1").is(204);
        let anonymous = client.clone();
        let before = client.whoami();
        let span = before["expires_at"].as_u64().unwrap() - before["created_at"].as_u64().unwrap();
        // A token notes no use: it is made anew instead, and is good for half as long.
        assert!([30, 15].contains(&(span / 60_000)), "{span}");

        client.post("/login/ada%20l").is(204);
        let ada = client.whoami();
        assert_eq!(
            (&ada["subject"], &ada["arrival"]),
            (&json!("ada l"), &json!("resumed"))
        );
        assert_ne!(ada["id"], before["id"], "a login is a new session");
        assert_eq!(client.get("/get/k").body, "1", "that inherits the data");
        assert_eq!(anonymous.clone().arrival(), "ended");

        let cookie = client.jar.clone();
        client.post("/renew").is(204);
        assert_ne!(client.jar, cookie, "a new credential");
        assert_eq!(client.whoami()["id"], ada["id"], "of the same session");

        let ended = client.clone();
        client.post("/logout").is(204);
        assert!(client.jar.is_empty());
        assert_eq!(client.arrival(), "new");
        assert_eq!(ended.clone().arrival(), "ended");
        ended
            .clone()
            .json("PUT", "/set/k", "1")
            .fails_with(409, "gone");
        ended.clone().post("/renew").fails_with(409, "gone");
        ended.clone().post("/login/ada").is(204);

        client.jar.insert("__Host-sid".into(), "forged".into());
        assert_eq!(client.arrival(), "unknown");
    }
}

#[test]
fn sessions_of_a_subject() {
    for server in testbeds(REVOKING) {
        let log_in = || {
            let mut client = server.client();
            client.post("/login/ada").is(204);
            client
        };
        let (mut a, mut b, mut c) = (log_in(), log_in(), log_in());
        let list = a.get("/sessions").is(200).json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 3);
        let current: Vec<_> = list
            .iter()
            .filter(|entry| entry["current"] == true)
            .collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0]["id"], a.whoami()["id"]);
        assert!(current[0]["last_seen"].as_u64() >= current[0]["created_at"].as_u64());

        let id = b.whoami()["id"].as_str().unwrap().to_owned();
        a.post(&format!("/revoke/{id}")).is(204);
        assert_eq!(b.arrival(), "ended");
        a.post(&format!("/revoke/{id}")).is(204);
        a.post("/revoke/nonsense").is(400);

        a.post("/revoke-others").is(204);
        assert_eq!(
            (a.arrival(), c.arrival()),
            ("resumed".into(), "ended".into())
        );
        a.post("/revoke-all").is(204);
        assert_eq!(a.arrival(), "ended");
    }
}

#[test]
fn a_request_without_a_subject_has_no_sessions() {
    for server in testbeds(ALL) {
        let mut client = server.client();
        client.json("PUT", "/set/k", "1").is(204);
        assert_eq!(client.get("/sessions").is(200).json(), json!([]));
        client.post("/revoke-others").is(204);
        client.post("/revoke-all").is(204);
        assert_eq!(client.arrival(), "resumed");
    }
}

#[test]
fn both_deadlines_hold() {
    let flags = ["--idle", "3s", "--absolute=7s", "--insecure-dev"];
    let server = Server::with("testbed", &flags, KEY);
    let mut idle = server.client();
    idle.get("/visits").is(200);
    assert!(idle.jar.contains_key("sid"), "{:?}", idle.jar);
    let mut busy = idle.clone();
    busy.jar.clear();
    busy.get("/visits").is(200);
    for _ in 0..5 {
        pause(700);
        assert_eq!(busy.arrival(), "resumed", "used every 700 ms");
    }
    assert_eq!(idle.arrival(), "expired", "not used for 3 s");
    let end = eventually("the absolute deadline", || {
        Some(busy.arrival()).filter(|arrival| arrival != "resumed")
    });
    assert_eq!(end, "expired");
    assert_eq!(busy.get("/visits").body, "visit 1");
}
