//! Keys that are replaced, node by node, while clients come and go: nobody is refused, and what an
//! old key signed is not taken once it is retired.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sessile_e2e::{Client, Folder, KEY, KeptAlive, Server, eventually};

const CLIENTS: usize = 4;
const NODES: usize = 3;
const REQUESTS: usize = 100_000;
const ROTATIONS: u8 = 10;

/// A key, by its number.
fn secret(number: u8) -> Vec<u8> {
    (0..32).map(|at| at ^ number.wrapping_mul(7)).collect()
}

fn visit(n: usize) -> String {
    format!("visit {n}")
}

/// A process, and its file of keys.
struct Node {
    server: Server,
    file: PathBuf,
    read: usize,
}

impl Node {
    fn start(folder: &Folder, number: usize, keys: &[u8]) -> Self {
        let file = folder.path().join(format!("keys-{number}.json"));
        write(&file, keys);
        let path = file.display().to_string();
        let flags = ["--strategy=token", "--jwt-keys", &path];
        Node {
            server: Server::with("testbed", &flags, KEY),
            file,
            read: 0,
        }
    }

    /// Gives it other keys, and returns when it works with them.
    fn rotate(&mut self, keys: &[u8]) {
        write(&self.file, keys);
        self.read += 1;
        eventually("the keys are read again", || {
            let said = self.server.errors();
            let read = said.matches("the keys were read again").count();
            (read >= self.read).then_some(())
        });
    }
}

/// Writes a set of keys at once: nobody reads half of it.
fn write(file: &PathBuf, keys: &[u8]) {
    let jwk = |number: &u8| {
        let k = URL_SAFE_NO_PAD.encode(secret(*number));
        json!({ "kty": "oct", "alg": "HS256", "kid": format!("key-{number}"), "k": k })
    };
    let keys: Vec<_> = keys.iter().map(jwk).collect();
    let new = file.with_extension("new");
    fs::write(&new, json!({ "keys": keys }).to_string()).unwrap();
    fs::rename(new, file).unwrap();
}

/// Waits until every client has come so many times more, so that all of them hold a token of now.
fn come_round(done: &[AtomicUsize], times: usize) {
    let count = |done: &AtomicUsize| done.load(Ordering::Relaxed);
    let before: Vec<_> = done.iter().map(count).collect();
    eventually("every client comes round", || {
        let is_round = |(done, before)| count(done) >= before + times;
        done.iter()
            .zip(before.iter().copied())
            .all(is_round)
            .then_some(())
    });
}

#[test]
fn e20_three_processes_change_their_keys_one_by_one_and_nobody_is_refused() {
    let folder = Folder::new("rotation");
    let mut nodes: Vec<_> = (0..NODES)
        .map(|at| Node::start(&folder, at, &[1]))
        .collect();
    let ports: Vec<_> = nodes.iter().map(|node| node.server.port).collect();
    let done: [AtomicUsize; CLIENTS] = Default::default();
    let requests = || -> usize { done.iter().map(|done| done.load(Ordering::Relaxed)).sum() };
    let stop = AtomicBool::new(false);
    let (mut rotations, mut presented, mut taken) = (0, 0, 0);
    thread::scope(|scope| {
        for done in &done {
            let (ports, stop) = (&ports, &stop);
            scope.spawn(move || {
                let mut client = KeptAlive::new(Client::new(ports[0]));
                for n in 1.. {
                    // Another body is a session that began anew: its token was refused.
                    let answer = client.get(ports[n % NODES], "/visits");
                    assert_eq!(answer.is(200).body, visit(n));
                    done.store(n, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        while rotations < ROTATIONS || requests() < REQUESTS {
            rotations += 1;
            let (old, new) = (rotations, rotations + 1);
            let captured: Vec<_> = nodes.iter().map(|node| logged_in(&node.server)).collect();
            // Publish, then sign, then retire: each step reaches one process after the other.
            for keys in [&[old, new][..], &[new, old], &[new]] {
                for node in &mut nodes {
                    node.rotate(keys);
                    come_round(&done, 50);
                }
            }
            for (client, port) in captured
                .iter()
                .flat_map(|client| ports.iter().map(move |port| (client, *port)))
            {
                presented += 1;
                taken += usize::from(client.at(port).arrival() == "resumed");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!(
        "{NODES} processes, {CLIENTS} clients, {rotations} rotations: 0 of {} good requests \
         refused; {taken} of {presented} uses of a retired key's tokens accepted",
        requests()
    );
    assert_eq!(taken, 0);
}

/// A client that has just logged in: its token is signed with the key of now.
fn logged_in(server: &Server) -> Client {
    let mut client = server.client();
    client.post("/login/ada").is(204);
    // A control: a token that was never good would be refused for that.
    assert_eq!(client.arrival(), "resumed");
    client
}
