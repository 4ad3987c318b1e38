//! Keys that are replaced, node by node, while clients come and go: nobody is refused, and what an
//! old key signed is not taken once it is retired.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use serde_json::json;
use sessile::{
    Algorithm, HmacKey, LazySession, LiveKeys, SessionLayer, SigningKey, Token, TokenKeys,
};
use sessile_e2e::{Client, Folder, KEY, Server, eventually, pause};
use tower::{Layer as _, ServiceExt as _, service_fn};

const CLIENTS: usize = 4;
const NODES: usize = 3;

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
    let stop = AtomicBool::new(false);
    let mut captured: Vec<Client> = Vec::new();
    thread::scope(|scope| {
        for done in &done {
            let (ports, stop) = (&ports, &stop);
            scope.spawn(move || {
                let mut client = Client::new(ports[0]);
                for n in 1.. {
                    client = client.at(ports[n % NODES]);
                    // Another body is a session that began anew: its token was refused.
                    assert_eq!(client.get("/visits").is(200).body, visit(n));
                    done.store(n, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        for at in 0..10 {
            let mut client = nodes[at % NODES].server.client();
            client.post("/login/ada").is(204);
            captured.push(client);
        }
        come_round(&done, 50);
        // Publish, then sign, then retire: each step reaches one process after the other.
        for keys in [&[1, 2][..], &[2, 1], &[2]] {
            for node in &mut nodes {
                node.rotate(keys);
                come_round(&done, 50);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mut taken = 0;
    for client in &captured {
        for port in &ports {
            taken += usize::from(client.at(*port).arrival() == "resumed");
        }
    }
    let requests: usize = done.iter().map(|done| done.load(Ordering::Relaxed)).sum();
    println!(
        "{NODES} processes, {CLIENTS} clients: 0 of {requests} good requests refused; {taken} of {} \
         uses of a retired key's tokens accepted",
        captured.len() * NODES
    );
    assert_eq!(taken, 0);
}

/// Answers a request of a client with this cookie, and says what its cookie is then.
async fn ask(layer: &SessionLayer, cookie: &str) -> (String, Option<String>) {
    let service = layer.layer(service_fn(async |request: Request<()>| {
        let lazy = request.extensions().get::<LazySession>().unwrap();
        let session = lazy.load().await.unwrap();
        let plus_one = |n: &mut usize| {
            *n += 1;
            *n
        };
        let n = session.update_now("visits", plus_one).await.unwrap();
        Ok::<_, Infallible>(Response::new(visit(n)))
    }));
    let request = Request::get("/").header(COOKIE, cookie).body(()).unwrap();
    let answer = service.oneshot(request).await.unwrap();
    let line = answer.headers().get(SET_COOKIE);
    let pair = line.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    (answer.into_body(), pair)
}

const REQUESTS: usize = 100_000;
const ROTATIONS: u8 = 10;

#[test]
fn e20_of_a_hundred_thousand_requests_none_is_refused_while_keys_are_replaced() {
    let ring = |keys: &[u8]| {
        let key = |number: &u8| {
            let key = HmacKey::new(Algorithm::HS256, secret(*number)).unwrap();
            key.named(&format!("key-{number}")).unwrap()
        };
        let (first, others) = keys.split_first().unwrap();
        let ring = TokenKeys::new(SigningKey::from(key(first)));
        others
            .iter()
            .fold(ring, |ring, other| ring.verify(key(other)).unwrap())
    };
    let rings: Vec<LiveKeys<_>> = (0..NODES).map(|_| ring(&[1]).into()).collect();
    let node = |keys: &LiveKeys<TokenKeys>| {
        let token = Token::signed(keys.clone())
            .issuer("https://app.example")
            .audience("https://app.example");
        SessionLayer::new(token.build().unwrap())
    };
    let layers: Arc<[SessionLayer]> = rings.iter().map(node).collect();
    let done: [AtomicUsize; CLIENTS] = Default::default();
    let stop = AtomicBool::new(false);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    };
    let (mut taken, mut presented) = (0, 0);
    thread::scope(|scope| {
        for done in &done {
            let (layers, stop) = (layers.clone(), &stop);
            scope.spawn(move || {
                runtime().block_on(async {
                    let mut cookie = String::new();
                    for n in 1.. {
                        let (body, next) = ask(&layers[n % NODES], &cookie).await;
                        assert_eq!(body, visit(n), "its token was refused");
                        cookie = next.unwrap();
                        done.store(n, Ordering::Relaxed);
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
            });
        }
        for old in 1..=ROTATIONS {
            let new = old + 1;
            let captured: Vec<_> = (0..NODES)
                .map(|at| runtime().block_on(ask(&layers[at], "")).1.unwrap())
                .collect();
            for keys in [&[old, new][..], &[new, old], &[new]] {
                for keys_of_node in &rings {
                    keys_of_node.replace(ring(keys));
                    come_round(&done, 100);
                }
            }
            for cookie in &captured {
                for layer in layers.iter() {
                    presented += 1;
                    let (body, _) = runtime().block_on(ask(layer, cookie));
                    taken += usize::from(body != visit(1));
                }
            }
        }
        while done
            .iter()
            .map(|done| done.load(Ordering::Relaxed))
            .sum::<usize>()
            < REQUESTS
        {
            pause(10);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let requests: usize = done.iter().map(|done| done.load(Ordering::Relaxed)).sum();
    println!(
        "{NODES} nodes, {ROTATIONS} rotations: 0 of {requests} good requests refused; {taken} of \
         {presented} uses of a retired key's tokens accepted"
    );
    assert_eq!(taken, 0);
}
