//! Requests of one client at once.

use std::thread;

use serde_json::json;
use sessile_e2e::{Client, pause};

use crate::beds::Bed;

const MANY: usize = 24;

/// Lets copies of a client do something at once, and gives what they came to.
pub(crate) fn at_once<T: Send>(
    n: usize,
    client: &Client,
    act: impl Fn(Client, usize) -> T + Sync,
) -> Vec<T> {
    let act = &act;
    thread::scope(|scope| {
        let acts: Vec<_> = (0..n)
            .map(|i| scope.spawn(move || act(client.clone(), i)))
            .collect();
        acts.into_iter().map(|act| act.join().unwrap()).collect()
    })
}

pub(super) fn disjoint_writes_at_once_all_survive(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/n", "0").is(204);
    at_once(MANY, &client, |mut client, i| {
        // All of them have read before the first of them writes.
        client.get(&format!("/slow/50/set/k{i}/{i}")).is(200)
    });
    let all = client.get("/all").json();
    assert_eq!(all.as_object().unwrap().len(), MANY + 1, "{all}");
}

pub(super) fn updates_at_once_are_exact(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/n", "0").is(204);
    let mut seen = at_once(MANY, &client, |mut client, _| {
        let body = client.post("/incr/n").is(200).body;
        body.parse::<usize>().unwrap()
    });
    seen.sort_unstable();
    assert_eq!(seen, (1..=MANY).collect::<Vec<_>>(), "each its own number");
    assert_eq!(client.get("/get/n").body, MANY.to_string());
}

pub(super) fn of_all_who_take_one_gets_it(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/code", "\"secret\"").is(204);
    let taken = at_once(MANY, &client, |mut client, _| {
        client.post("/take/code").status
    });
    assert_eq!(taken.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(
        taken.iter().filter(|status| **status == 404).count(),
        MANY - 1
    );
}

pub(super) fn renews_at_once_lock_nobody_out(bed: &Bed) {
    let mut client = bed.first.client();
    client.post("/login/ada").is(204);
    let id = client.whoami()["id"].clone();
    let clients = at_once(MANY, &client, |mut client, i| {
        match i % 6 {
            0 => client.post("/renew").is(204),
            _ => client.post("/incr/n").is(200),
        };
        client
    });
    for mut after in clients.into_iter().chain([client]) {
        let who = after.whoami();
        assert_eq!((&who["arrival"], &who["id"]), (&json!("resumed"), &id));
    }
}

pub(super) fn a_slow_request_does_not_undo_a_logout(bed: &Bed) {
    let mut client = bed.first.client();
    client.post("/login/ada").is(204);
    let before = client.clone();
    thread::scope(|scope| {
        let read = scope.spawn(|| before.clone().get("/slow/800/set/k/1"));
        let write = scope.spawn(|| before.clone().post("/slow/800/incr/n"));
        pause(300);
        client.post("/logout").is(204);
        // A GET is answered, though its change is dropped; another method says that it was.
        assert!(!read.join().unwrap().is(200).sets_cookie());
        write.join().unwrap().fails_with(409, "gone");
    });
    let mut dead = before.clone();
    assert_eq!(dead.arrival(), "ended");
    assert_eq!(dead.get("/all").json(), json!({}));
}

pub(super) fn a_slow_request_does_not_overwrite_a_newer_login(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/k", "0").is(204);
    let before = client.clone();
    thread::scope(|scope| {
        let late = scope.spawn(|| before.clone().get("/slow/800/set/k/1"));
        pause(300);
        client.post("/login/ada").is(204);
        assert!(!late.join().unwrap().is(200).sets_cookie());
    });
    assert_eq!(client.whoami()["subject"], "ada");
    assert_eq!(client.get("/get/k").body, "0");
}
