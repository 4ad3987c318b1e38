//! Requests at once, over as many connections.

use std::thread;

use sessile_e2e::{Client, pause};

use crate::support::strategy::{MERGING, REVOKING, testbeds};

/// Lets clones of a client do something at once, and gives what they came to.
fn at_once<T: Send>(n: usize, client: &Client, act: impl Fn(Client, usize) -> T + Sync) -> Vec<T> {
    let act = &act;
    thread::scope(|scope| {
        let acts: Vec<_> = (0..n)
            .map(|i| scope.spawn(move || act(client.clone(), i)))
            .collect();
        acts.into_iter().map(|act| act.join().unwrap()).collect()
    })
}

#[test]
fn two_hundred_increments_are_two_hundred() {
    for server in testbeds(MERGING) {
        let mut client = server.client();
        client.json("PUT", "/set/n", "0").is(204);
        let mut seen = at_once(200, &client, |mut client, _| {
            let body = client.post("/incr/n").is(200).body;
            body.parse::<u64>().unwrap()
        });
        seen.sort_unstable();
        assert_eq!(seen, (1..=200).collect::<Vec<_>>(), "each its own number");
        assert_eq!(client.get("/get/n").body, "200");
        at_once(50, &client, |mut client, _| {
            client.post("/incr-lazy/n").is(200)
        });
        assert_eq!(client.get("/get/n").body, "250");
    }
}

#[test]
fn writes_to_different_keys_all_survive() {
    for server in testbeds(MERGING) {
        let mut client = server.client();
        client.json("PUT", "/set/n", "0").is(204);
        at_once(50, &client, |mut client, i| {
            client
                .json("PUT", &format!("/set/k{i}"), &i.to_string())
                .is(204)
        });
        assert_eq!(client.get("/all").json().as_object().unwrap().len(), 51);
    }
}

#[test]
fn renewing_in_parallel_locks_nobody_out() {
    for server in testbeds(MERGING) {
        let mut client = server.client();
        client.post("/login/ada").is(204);
        let id = client.whoami()["id"].clone();
        let clients = at_once(50, &client, |mut client, i| {
            match i % 10 {
                0 => client.post("/renew").is(204),
                _ => client.post("/incr/n").is(200),
            };
            client
        });
        assert!(
            clients.iter().any(|after| after.jar != client.jar),
            "one renewed"
        );
        for mut after in clients {
            let who = after.whoami();
            assert_eq!((&who["arrival"], &who["id"]), (&"resumed".into(), &id));
        }
        assert_eq!(
            client.arrival(),
            "resumed",
            "nor whoever has the old one still"
        );
        assert_eq!(client.get("/get/n").body, "45");
    }
}

#[test]
fn of_all_who_take_one_gets_it() {
    for server in testbeds(MERGING) {
        let mut client = server.client();
        client.json("PUT", "/set/code", "\"secret\"").is(204);
        let taken = at_once(20, &client, |mut client, _| {
            client.post("/take/code").status
        });
        assert_eq!(taken.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(taken.iter().filter(|status| **status == 404).count(), 19);
    }
}

#[test]
fn a_straggler_does_not_bring_a_session_back() {
    for server in testbeds(REVOKING) {
        let mut client = server.client();
        client.post("/login/ada").is(204);
        let before = client.clone();
        thread::scope(|scope| {
            let read = scope.spawn(|| before.clone().get("/slow/800/set/k/1"));
            let write = scope.spawn(|| before.clone().post("/slow/800/incr/n"));
            pause(300);
            client.post("/logout").is(204);
            // A GET is answered, though its change is dropped; any other method says that it was.
            let read = read.join().unwrap().is(200);
            assert_eq!((read.body.as_str(), read.sets_cookie()), ("ok", false));
            write.join().unwrap().fails_with(409, "gone");
        });
        let mut dead = before.clone();
        assert_eq!(dead.arrival(), "ended");
        assert_eq!(dead.get("/all").body, "{}");
    }
}

#[test]
fn a_straggler_does_not_overwrite_a_newer_login_in_the_same_jar() {
    for server in testbeds(REVOKING) {
        let mut client = server.client();
        client.json("PUT", "/set/k", "0").is(204);
        let before = client.clone();
        thread::scope(|scope| {
            let late = scope.spawn(|| before.clone().get("/slow/800/set/k/1"));
            pause(300);
            client.post("/login/ada").is(204);
            let late = late.join().unwrap().is(200);
            assert!(!late.sets_cookie(), "{late:?}");
        });
        assert_eq!(client.whoami()["subject"], "ada");
        assert_eq!(client.get("/get/k").body, "0");
    }
}
