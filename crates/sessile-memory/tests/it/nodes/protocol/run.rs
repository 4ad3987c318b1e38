//! The world: nodes, clients and their jars, and everything that is on its way between them.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sessile_core::{Arrival, Record, SessionId, Timestamp};
use sessile_memory::BackedSticky;

use super::serve::{Sent, Served, What, serve, tokens};
use crate::nodes::{Fault, Model, REVALIDATE, builder};
use crate::support::NOW;

/// What happens next. Numbers choose among what there is, modulo how much there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A client sends what is in its jar, to this node: the balancer may be wrong.
    Send(usize, usize, What),
    /// A request is delivered once more, to this node.
    Again(usize, usize),
    /// A call to the store is done there, or not.
    Do(usize, Option<Fault>),
    /// A node hears of it.
    Answer(usize),
    /// A response reaches its client: others may have been faster.
    Deliver(usize),
    /// A response does not.
    Lose(usize),
    /// A node loses its memory, and what it was doing.
    Crash(usize),
    /// A client gives up waiting.
    Cancel(usize),
    Wait(u64),
    /// All that is on its way arrives.
    Settle,
    /// The store goes back by so many writes.
    Revert(usize),
}

/// What is not as it should be.
pub(super) type Broken = String;

pub(super) const NODES: usize = 3;
/// The first waits for each answer, the second does not.
pub(super) const CLIENTS: usize = 2;

pub(super) struct World {
    pub(super) store: Model,
    nodes: Vec<Rc<BackedSticky>>,
    incarnations: [u32; NODES],
    clock: Rc<Cell<Timestamp>>,
    clients: Vec<Client>,
    tasks: Vec<Task>,
    responses: Vec<(Sent, Served)>,
    token: u32,
    /// Versions that were acknowledged, and when.
    acked: Vec<(SessionId, u64, Timestamp)>,
    /// Tokens that were acknowledged, and in which session.
    written: Vec<(SessionId, u32)>,
    ended: Vec<Ended>,
    inherits: HashMap<SessionId, Option<SessionId>>,
    /// The store may forget what it has acknowledged.
    pub(super) reverts: bool,
    /// The control: clients whose credentials say nothing of versions.
    pub(super) blind: bool,
}

struct Ended {
    sid: SessionId,
    at: Timestamp,
    by: (usize, u32),
}

#[derive(Default)]
struct Client {
    jar: Option<String>,
    /// What it has read or was told is done.
    known: BTreeSet<u32>,
    waiting: bool,
    /// Something that ends its session is under way, or may be.
    unsure: bool,
    /// What it knew is gone, and it was not told.
    deceived: bool,
}

struct Task {
    sent: Sent,
    ended_before: HashSet<SessionId>,
    future: Pin<Box<dyn Future<Output = Served>>>,
}

impl World {
    pub(super) fn new() -> Self {
        let store = Model::default();
        store.hold(true);
        let nodes = (0..NODES).map(|at| start(at, &store)).collect();
        World {
            store,
            nodes,
            incarnations: [0; NODES],
            clock: Rc::new(Cell::new(NOW)),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
            tasks: Vec::new(),
            responses: Vec::new(),
            token: 0,
            acked: Vec::new(),
            written: Vec::new(),
            ended: Vec::new(),
            inherits: HashMap::new(),
            reverts: false,
            blind: false,
        }
    }

    /// Each client logs in, and then everything happens that is to happen.
    pub(super) fn story(&mut self, steps: &[Step]) -> Result<(), Broken> {
        for client in 0..CLIENTS {
            self.step(Step::Send(client, 0, What::Login))?;
            self.settle()?;
        }
        for step in steps {
            self.step(*step)?;
        }
        self.settle()?;
        self.check_written()
    }

    pub(super) fn step(&mut self, step: Step) -> Result<(), Broken> {
        match step {
            Step::Send(client, node, what) => self.send(client, node, what),
            Step::Again(task, node) => self.again(task, node),
            Step::Do(at, fault) => {
                if let Some(at) = pick(at, self.store.pending()) {
                    self.store.effect(at, fault);
                }
            }
            Step::Answer(at) => {
                if let Some(at) = pick(at, self.store.pending()) {
                    self.store.answer(at);
                }
            }
            Step::Deliver(at) => {
                if let Some(at) = pick(at, self.responses.len()) {
                    let (sent, served) = self.responses.remove(at);
                    self.deliver(&sent, &served)?;
                }
            }
            Step::Lose(at) => {
                if let Some(at) = pick(at, self.responses.len()) {
                    let (sent, _) = self.responses.remove(at);
                    self.give_up(&sent);
                }
            }
            Step::Crash(node) => {
                self.forget_calls();
                self.incarnations[node] += 1;
                self.nodes[node] = start(node, &self.store);
                let (gone, left) = std::mem::take(&mut self.tasks)
                    .into_iter()
                    .partition(|task: &Task| task.sent.node == node);
                self.tasks = left;
                gone.iter().for_each(|task: &Task| self.give_up(&task.sent));
            }
            Step::Cancel(at) => {
                if let Some(at) = pick(at, self.tasks.len()) {
                    self.forget_calls();
                    let task = self.tasks.remove(at);
                    self.give_up(&task.sent);
                }
            }
            Step::Wait(millis) => {
                let now = self.clock.get().after(Duration::from_millis(millis));
                self.clock.set(now);
            }
            Step::Settle => return self.settle(),
            Step::Revert(by) => {
                if self.reverts {
                    self.store.revert(by);
                }
            }
        }
        self.poll()
    }

    /// With a store that forgets, what nobody waits for any more is done by now or never: else it
    /// would write past what others know, which is the counter-example's business.
    fn forget_calls(&self) {
        while self.reverts && self.store.pending() > 0 {
            self.store.answer(0);
        }
    }

    /// Nodes answer, and no response is delivered.
    pub(super) fn work(&mut self) -> Result<(), Broken> {
        loop {
            self.poll()?;
            if self.store.pending() == 0 {
                return Ok(());
            }
            self.store.effect(0, None);
            self.store.answer(0);
        }
    }

    /// The client that does not wait gets its first or last answer, and notes what it is told.
    pub(super) fn tell(&mut self, last: bool) {
        let count = self.responses.len();
        let Some(at) = pick(if last { count.wrapping_sub(1) } else { 0 }, count) else {
            return;
        };
        let (sent, served) = self.responses.remove(at);
        let client = &mut self.clients[1];
        client.jar = served.cookie.clone().or(client.jar.take());
        if served.arrival != Some(Arrival::Resumed) || served.failed.is_some() {
            client.known.clear();
        } else if sent.what == What::Read {
            let (seen, _) = tokens(served.opened.as_ref().unwrap());
            client.deceived = !client.known.is_subset(&seen);
        } else {
            client.known.insert(sent.token);
        }
    }

    /// Whether the client that does not wait misses what it was told is done.
    pub(super) fn is_deceived(&self) -> bool {
        self.clients[1].deceived
    }

    fn settle(&mut self) -> Result<(), Broken> {
        loop {
            self.poll()?;
            if self.store.pending() > 0 {
                self.store.effect(0, None);
                self.store.answer(0);
            } else if !self.responses.is_empty() {
                let (sent, served) = self.responses.remove(0);
                self.deliver(&sent, &served)?;
            } else if self.tasks.is_empty() {
                return Ok(());
            }
        }
    }

    fn send(&mut self, at: usize, node: usize, what: What) {
        let client = &mut self.clients[at];
        // Who waits for each answer sends one at a time.
        if at == 0 && std::mem::replace(&mut client.waiting, true) {
            return;
        }
        let text = client.jar.clone();
        self.token += 1;
        let sent = Sent {
            client: at,
            node,
            incarnation: self.incarnations[node],
            text,
            what,
            token: self.token,
            at: self.clock.get(),
        };
        self.start(sent);
    }

    fn again(&mut self, task: usize, node: usize) {
        let doubled: Vec<Sent> = self.tasks.iter().map(|task| task.sent.clone()).collect();
        let Some(at) = pick(task, doubled.len()).filter(|at| doubled[*at].client != 0) else {
            return;
        };
        self.token += 1;
        let (incarnation, token) = (self.incarnations[node], self.token);
        self.start(Sent {
            node,
            incarnation,
            token,
            at: self.clock.get(),
            ..doubled[at].clone()
        });
    }

    fn start(&mut self, sent: Sent) {
        let node = self.nodes[sent.node].clone();
        let ended = self.ended.iter().filter(|ended| {
            ended.by == (sent.node, sent.incarnation) || ended.at.after(REVALIDATE) <= sent.at
        });
        self.tasks.push(Task {
            ended_before: ended.map(|ended| ended.sid).collect(),
            future: Box::pin(serve(node, sent.clone(), self.clock.clone())),
            sent,
        });
    }

    fn give_up(&mut self, sent: &Sent) {
        let client = &mut self.clients[sent.client];
        client.waiting = false;
        client.unsure |= matches!(sent.what, What::Login | What::Logout);
    }

    fn poll(&mut self) -> Result<(), Broken> {
        let mut context = Context::from_waker(Waker::noop());
        let mut at = 0;
        while at < self.tasks.len() {
            match self.tasks[at].future.as_mut().poll(&mut context) {
                Poll::Pending => at += 1,
                Poll::Ready(served) => {
                    let task = self.tasks.remove(at);
                    self.served(&task, &served)?;
                    self.responses.push((task.sent, served));
                    at = 0; // somebody else's turn may have come
                }
            }
        }
        Ok(())
    }

    /// A node has answered: what it answered is acknowledged.
    fn served(&mut self, task: &Task, served: &Served) -> Result<(), Broken> {
        let sent = &task.sent;
        if let (Some(Arrival::Resumed), Some(opened), false) =
            (served.arrival, &served.opened, self.reverts)
        {
            self.check_opened(task, opened)?;
        }
        if served.failed.is_some() {
            return Ok(());
        }
        let now = self.clock.get();
        if let Some(left) = &served.left {
            self.acked.push((left.sid, left.version, now));
            if matches!(sent.what, What::Insert | What::Update) {
                self.written.push((left.sid, sent.token));
            }
        }
        if let Some((sid, heir)) = served.ended {
            self.inherits.insert(sid, heir);
            let by = (sent.node, sent.incarnation);
            self.ended.push(Ended { sid, at: now, by });
        }
        Ok(())
    }

    fn check_opened(&self, task: &Task, opened: &Arc<Record>) -> Result<(), Broken> {
        let sent = &task.sent;
        let presented = sent.text.as_deref().map_or(0, version);
        if opened.version < presented {
            return broken("a state older than the credential", sent);
        }
        if task.ended_before.contains(&opened.sid) {
            return broken("a session that has ended", sent);
        }
        let bound = self
            .acked
            .iter()
            .filter(|(sid, _, at)| *sid == opened.sid && at.after(REVALIDATE) <= sent.at)
            .map(|(_, version, _)| *version)
            .max();
        if bound.is_some_and(|bound| opened.version < bound) {
            return broken("a state older than the time to revalidate", sent);
        }
        Ok(())
    }

    fn deliver(&mut self, sent: &Sent, served: &Served) -> Result<(), Broken> {
        let reverts = self.reverts;
        let client = &mut self.clients[sent.client];
        client.waiting = false;
        if let Some(text) = &served.cookie {
            client.jar = Some(text.clone()).filter(|text| !text.is_empty());
            if let (true, Some(jar)) = (self.blind, &client.jar) {
                client.jar = Some(blinded(&self.nodes[0], jar, served));
            }
        }
        if sent.client != 0 {
            return Ok(());
        }
        let ends = matches!(sent.what, What::Login | What::Logout);
        client.unsure |= ends && served.failed.is_some();
        if served.arrival == Some(Arrival::Resumed) {
            let opened = served.opened.as_ref().unwrap();
            let (seen, _) = tokens(opened);
            if !client.known.is_subset(&seen) {
                return broken("what a client knew is gone", sent);
            }
        } else if sent.text.is_some() && served.arrival.is_some() && !client.unsure && !reverts {
            return broken("a client was logged out", sent);
        }
        // Whatever it was, it was told: by the arrival, or by the failure.
        let told = served.left.as_ref().or(served.opened.as_ref());
        match told {
            Some(record) if served.failed.is_none() || served.arrival != Some(Arrival::Resumed) => {
                client.known = tokens(record).0;
            }
            Some(_) if served.failed == Some(sessile_core::ErrorKind::Stale) => {
                client.known.clear();
            }
            Some(_) => {}
            None if served.arrival.is_some() => client.known.clear(),
            None => {}
        }
        if sent.what == What::Logout && served.failed.is_none() {
            client.known.clear();
        }
        Ok(())
    }

    /// What was acknowledged is there, or in the session that inherits; and nothing twice.
    fn check_written(&self) -> Result<(), Broken> {
        for (sid, token) in &self.written {
            let mut sid = *sid;
            let record = loop {
                match (self.store.record(&sid), self.inherits.get(&sid)) {
                    (Some(record), _) => break Some(record),
                    (None, Some(Some(heir))) => sid = *heir,
                    (None, _) => break None,
                }
            };
            let Some(record) = record else { continue };
            let (all, updates) = tokens(&record);
            if !all.contains(token) && !self.reverts {
                return Err(format!("token {token} was acknowledged and is lost"));
            }
            if updates.len() != updates.iter().collect::<BTreeSet<_>>().len() {
                return Err(format!("an update was done twice: {updates:?}"));
            }
        }
        Ok(())
    }
}

fn start(node: usize, store: &Model) -> Rc<BackedSticky> {
    Rc::new(builder(&format!("n{node}"), store).build().unwrap())
}

fn pick(at: usize, count: usize) -> Option<usize> {
    (count > 0).then(|| at % count)
}

fn broken(what: &str, sent: &Sent) -> Result<(), Broken> {
    Err(format!("{what}: {:?} at n{}", sent.what, sent.node))
}

/// The version that a credential speaks of.
fn version(text: &str) -> u64 {
    let body = text.split('.').nth(1).unwrap();
    let body = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(body).unwrap();
    u64::from_be_bytes(body[32..40].try_into().unwrap())
}

/// The same credential, which says nothing of a version.
fn blinded(node: &BackedSticky, text: &str, served: &Served) -> String {
    let Some(record) = served.left.as_ref().or(served.opened.as_ref()) else {
        return text.to_owned();
    };
    let body = text.split('.').nth(1).unwrap();
    let body = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(body).unwrap();
    let verifier = sessile_core::Verifier::from_bytes(body[16..32].try_into().unwrap());
    let mut record = Record::clone(record);
    record.version = 0;
    crate::nodes::issue(node, &record, &verifier)
}
