//! Tokens with revocation, over two processes and a store that both share.

use std::time::{Duration, Instant};

use sessile_e2e::{Client, KEY, RedisServer, Server, eventually};

/// How soon a revocation holds elsewhere.
const WITHIN: Duration = Duration::from_millis(1500);
/// What a request takes, and the machine's other work.
const SLACK: Duration = Duration::from_millis(500);

fn testbed(store: &RedisServer, more: &[&str]) -> Server {
    let url = store.url();
    let usual = ["--strategy=token", "--within=1500ms", "--revocation", &url];
    Server::with("testbed", &[&usual, more].concat(), KEY)
}

/// How long after the revocation a copy of the token, known to this process, was still taken.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is measured"
)]
fn taken_after(copy: &mut Client, revoke: impl FnOnce()) -> Duration {
    assert_eq!(copy.arrival(), "resumed", "read, and so remembered");
    revoke();
    let start = Instant::now();
    let mut last = Duration::ZERO;
    eventually("the copy is refused", || {
        let asked = start.elapsed();
        match copy.arrival().as_str() {
            "ended" => Some(()),
            "resumed" => {
                last = asked;
                None
            }
            other => panic!("{other}"),
        }
    });
    last
}

#[test]
fn a_captured_token_is_refused_by_another_process_within_the_stated_bound() {
    let store = RedisServer::start(&[]);
    for form in [&[][..], &["--sealed"]] {
        let servers = [testbed(&store, form), testbed(&store, form)];
        let mut client = servers[0].client();
        client.post("/login/ada").is(204);
        let mut copy = client.at(servers[1].port);
        let logout = taken_after(&mut copy, || {
            client.post("/logout").is(204);
        });
        // A write needs a new token, and gets none at once: nothing is gone by from memory.
        copy.json("PUT", "/set/k", "1").fails_with(409, "gone");

        let mut client = servers[0].client();
        client.post("/login/ada").is(204);
        let mut other = servers[0].client();
        other.post("/login/ada").is(204);
        let mut copy = other.at(servers[1].port);
        let others = taken_after(&mut copy, || {
            client.post("/revoke-others").is(204);
        });
        assert_eq!(client.at(servers[1].port).arrival(), "resumed");
        println!(
            "token {form:?}: a copy was taken for {logout:?} after a logout elsewhere, for \
             {others:?} after \"all others\"; the bound is {WITHIN:?}"
        );
        for took in [logout, others] {
            assert!(took < WITHIN + SLACK, "{took:?}");
        }
    }
}

#[test]
fn a_logout_is_not_undone_by_a_write_that_was_on_its_way_in_another_process() {
    let store = RedisServer::start(&[]);
    let servers = [testbed(&store, &[]), testbed(&store, &[])];
    let mut client = servers[0].client();
    client.post("/login/ada").is(204);
    let mut slow = client.at(servers[1].port);
    let slow = std::thread::spawn(move || slow.post("/slow/600/incr/n"));
    sessile_e2e::pause(200);
    client.post("/logout").is(204);
    slow.join().unwrap().fails_with(409, "gone");
}

#[test]
fn with_the_store_away_the_policy_decides() {
    let mut store = RedisServer::start(&[]);
    let refusing = testbed(&store, &[]);
    let trusting = testbed(&store, &["--when-away=trust"]);
    let mut client = refusing.client();
    client.json("PUT", "/set/k", "1").is(204);
    client.post("/login/ada").is(204);
    store.kill();
    let before = client.jar.clone();
    let mut refused = client.clone();
    eventually("what was read before is not gone by any more", || {
        let answer = refused.get("/get/k");
        (answer.status == 503).then_some(answer)
    })
    .fails_with(503, "unavailable");
    refused.post("/logout").fails_with(503, "unavailable");
    refused.get("/ignore").is(200);

    let mut trusted = client.at(trusting.port);
    let answer = trusted.get("/get/k").is(200);
    assert_eq!((answer.body.as_str(), answer.sets_cookie()), ("1", false));
    trusted
        .json("PUT", "/set/k", "2")
        .fails_with(503, "unavailable");
    trusted.post("/logout").fails_with(503, "unavailable");
    store.restart();
    for server in [&refusing, &trusting] {
        let mut back = client.at(server.port);
        assert_eq!(back.jar, before);
        eventually("the store is back", || {
            let answer = back.get("/whoami");
            (answer.status == 200).then(|| assert_eq!(answer.json()["subject"], "ada"))
        });
    }
}
