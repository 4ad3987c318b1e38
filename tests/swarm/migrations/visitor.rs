//! A client that logs in once, goes from node to node, and notices when it is taken for another.

use std::io::ErrorKind;

use sessile_e2e::{Client, Response, eventually};

/// A client with a jar of its own, and what it knows of its session.
pub(super) struct Visitor {
    client: Client,
    subject: String,
    ports: [u16; 2],
    /// Which step of its round is next.
    at: usize,
    /// The last count of visits that was acknowledged.
    visits: usize,
    cart: usize,
    pub(super) requests: usize,
    /// How many requests a node took and did not answer.
    pub(super) unanswered: usize,
    pub(super) logouts: usize,
    pub(super) refused: Vec<String>,
}

impl Visitor {
    /// One that has just logged in.
    pub(super) fn new(subject: String, ports: [u16; 2]) -> Self {
        let mut visitor = Visitor {
            client: Client::new(ports[0]),
            // Everybody is elsewhere in the round.
            at: subject.bytes().map(usize::from).sum(),
            subject,
            ports,
            visits: 0,
            cart: 0,
            requests: 0,
            unanswered: 0,
            logouts: 0,
            refused: Vec::new(),
        };
        visitor.enter();
        visitor
    }

    /// A client with the same cookie, which opens the session now.
    pub(super) fn copy(&self) -> Client {
        let mut copy = self.client.clone();
        let me = copy.whoami();
        assert_eq!(me["subject"], self.subject.as_str(), "{me}");
        assert_eq!(me["arrival"], "resumed", "{me}");
        copy
    }

    /// One request, mostly to the node that had not the one before.
    pub(super) fn come(&mut self) {
        self.at += 1;
        match self.at % 20 {
            3 => self.write("POST", "/renew", ""),
            8 => self.write("POST", &format!("/login/{}", self.subject), ""),
            1 | 6 | 11 | 16 => self.fill_cart(),
            2 | 7 | 12 | 17 => {
                let (answer, _) = self.ask("GET", "/get/cart", "");
                let is_kept = answer.body == self.cart.to_string();
                self.expect(is_kept, &answer);
            }
            4 | 9 | 14 | 19 => {
                let (answer, _) = self.ask("GET", "/whoami", "");
                let is_me = answer.status == 200 && answer.json()["subject"] == *self.subject;
                self.expect(is_me, &answer);
            }
            _ => self.visit(),
        }
    }

    pub(super) fn leave(&mut self) {
        self.write("POST", "/logout", "");
    }

    /// Everything is still there, at both nodes.
    pub(super) fn check(&mut self) {
        for _ in 0..20 {
            self.come();
        }
        for port in self.ports {
            self.client = self.client.at(port);
            self.copy();
        }
    }

    fn enter(&mut self) {
        self.write("POST", &format!("/login/{}", self.subject), "");
        self.fill_cart();
        let (answer, _) = self.ask("GET", "/visits", "");
        self.visits = count(&answer).unwrap_or_default();
    }

    fn visit(&mut self) {
        let (answer, lost) = self.ask("GET", "/visits", "");
        let first = self.visits + 1;
        // What was not answered may have been done.
        let is_next = count(&answer).is_some_and(|n| (first..=first + lost).contains(&n));
        self.visits = count(&answer).unwrap_or(self.visits);
        self.expect(is_next, &answer);
    }

    fn fill_cart(&mut self) {
        self.cart = self.at;
        self.write("PUT", "/set/cart", &self.cart.to_string());
    }

    fn write(&mut self, method: &str, path: &str, body: &str) {
        self.ask(method, path, body);
    }

    /// Asks until some node answers; the answer, and how many requests before got none.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> (Response, usize) {
        let mut turn = self.at + self.at / 20;
        let mut lost = 0;
        let answer = eventually("a node answers", || {
            self.client = self.client.at(self.ports[turn % 2]);
            turn += 1;
            match self.client.try_send(method, path, &[], body) {
                Ok(answer) => Some(answer),
                Err(error) => {
                    lost += usize::from(error.kind() != ErrorKind::ConnectionRefused);
                    None
                }
            }
        });
        self.requests += 1;
        self.unanswered += lost;
        if !matches!(answer.status, 200 | 204 | 404) {
            self.refused.push(format!("{method} {path}: {answer:?}"));
        }
        (answer, lost)
    }

    /// Somebody who is not known any more has been logged out, and starts again.
    fn expect(&mut self, is_known: bool, answer: &Response) {
        if !is_known && matches!(answer.status, 200 | 404) {
            self.logouts += 1;
            self.enter();
        }
    }
}

/// The number of a visit.
fn count(answer: &Response) -> Option<usize> {
    answer.body.strip_prefix("visit ")?.parse().ok()
}
