//! Two processes, one store: what parallel requests write is all there.

use std::thread;

use sessile_e2e::{Client, Server};

use crate::store::Store;

/// Runs so many clients at once, all with this jar, taking turns between the servers.
fn at_once<T: Send>(
    servers: &[Server],
    client: &Client,
    count: usize,
    work: impl Fn(usize, Client) -> T + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let run = |at: usize| {
            let client = client.at(servers[at % servers.len()].port);
            scope.spawn(move || work(at, client))
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn two(store: &Store) -> [Server; 2] {
    [store.testbed(), store.testbed()]
}

#[test]
fn two_hundred_parallel_requests_that_write_a_key_each_lose_none() {
    for start in Store::each() {
        let store = start();
        let servers = two(&store);
        let mut client = servers[0].client();
        client.json("PUT", "/set/first", "1").is(204);
        at_once(&servers, &client, 200, |at, mut client| {
            client.get(&format!("/slow/5/set/k{at}/{at}")).is(200);
        });
        let all = client.get("/all").json();
        let kept = (0..200).filter(|at| all[format!("k{at}")] == *at).count();
        println!(
            "{}: {kept} of 200 keys kept, over two processes",
            store.name()
        );
        assert_eq!(kept, 200, "{}", store.name());
    }
}

#[test]
fn sixteen_clients_count_to_sixteen_thousand_over_two_processes() {
    let store = Store::redis();
    let servers = two(&store);
    let mut client = servers[0].client();
    client.json("PUT", "/set/n", "0").is(204);
    let calls = |store: &Store| {
        let Store::Redis(server) = store else {
            unreachable!("it was started as one")
        };
        script_calls(&server.cli(&["INFO", "commandstats"]))
    };
    let before = calls(&store);
    let seen = at_once(&servers, &client, 16, |_, mut client| {
        let count = |_| client.post("/incr/n").is(200).body.parse::<u64>().unwrap();
        (0..1000).map(count).collect::<Vec<_>>()
    });
    let mut seen: Vec<_> = seen.into_iter().flatten().collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=16_000).collect::<Vec<_>>(), "each number once");
    assert_eq!(client.get("/get/n").body, "16000");
    let tries = calls(&store) - before;
    println!(
        "Redis: 16,000 updates took {tries} calls, {} of them retries",
        tries - 16_000
    );
}

/// How often a script was run.
fn script_calls(stats: &str) -> u64 {
    let calls = |line: &str| {
        let (command, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        matches!(command, "eval" | "evalsha" | "fcall")
            .then(|| figures.split(',').next()?.parse::<u64>().ok())?
    };
    stats.lines().filter_map(calls).sum()
}
