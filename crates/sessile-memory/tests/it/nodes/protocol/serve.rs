//! A request, as sessile's layer runs it: open, change, commit, and answer with a credential.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use sessile_core::{
    Arrival, Change, Created, Credential, ErrorKind, GRACE, Held, Lifetime, Log, Opened, Outcome,
    Patch, Plan, Record, Rotation, SessionId, Strategy, TOMBSTONE, Target, Text, Timestamp, Turn,
    Verifier,
};
use sessile_memory::BackedSticky;

use crate::nodes::{issue, presented};
use crate::support::name;

/// What a handler does. What it writes is its request's token, which no other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Read,
    /// A plain write.
    Insert,
    /// A function of what is there.
    Update,
    Login,
    Logout,
    Renew,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) client: usize,
    pub(super) node: usize,
    pub(super) incarnation: u32,
    pub(super) text: Option<String>,
    pub(super) what: What,
    pub(super) token: u32,
    pub(super) at: Timestamp,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) arrival: Option<Arrival>,
    pub(super) failed: Option<ErrorKind>,
    /// The record as it was opened.
    pub(super) opened: Option<Arc<Record>>,
    /// The record as the response leaves.
    pub(super) left: Option<Arc<Record>>,
    /// A session that was surely ended, and the one that inherits.
    pub(super) ended: Option<(SessionId, Option<SessionId>)>,
    /// What the client is to present from now on; empty if nothing.
    pub(super) cookie: Option<String>,
}

/// All tokens that a session holds, and those of updates in their order.
pub(super) fn tokens(record: &Record) -> (BTreeSet<u32>, Vec<u32>) {
    let updates: Vec<u32> = decode(record.data.get("updates"));
    let inserts = record
        .data
        .iter()
        .filter(|(name, _)| name.as_str() != "updates");
    let inserts = inserts.map(|(_, text)| text.decode::<u32>().unwrap());
    (inserts.chain(updates.iter().copied()).collect(), updates)
}

fn decode(text: Option<&Text>) -> Vec<u32> {
    text.map_or_else(Vec::new, |text| text.decode().unwrap())
}

fn log(what: What, token: u32) -> Log {
    let change = match what {
        What::Read => return Log::new(),
        What::Insert => Change::Set(name(&format!("i{token}")), Text::encode(&token).unwrap()),
        What::Update => Change::Update(
            name("updates"),
            Arc::new(move |old| {
                let mut updates = decode(old);
                updates.push(token);
                Text::encode(&updates).map(Some)
            }),
        ),
        What::Login => Change::Login("ann".into()),
        What::Logout => Change::Destroy,
        What::Renew => Change::Renew,
    };
    vec![change]
}

/// Serves a request at a node.
pub(super) async fn serve(
    node: Rc<BackedSticky>,
    sent: Sent,
    clock: Rc<Cell<Timestamp>>,
) -> Served {
    let request = Request { node, sent, clock };
    let mut served = Served::default();
    if let Err(kind) = request.run(&mut served).await {
        served.failed = Some(kind);
        if matches!(kind, ErrorKind::Unavailable | ErrorKind::Unknown) {
            served.cookie = None;
        }
    }
    served
}

struct Request {
    node: Rc<BackedSticky>,
    sent: Sent,
    clock: Rc<Cell<Timestamp>>,
}

impl Request {
    fn now(&self) -> Timestamp {
        self.clock.get()
    }

    async fn run(&self, served: &mut Served) -> Result<(), ErrorKind> {
        let opened = match &self.sent.text {
            None => Opened::nothing(Arrival::New),
            Some(text) => {
                let presented = presented(text, self.sent.at);
                self.node.open(&presented, self.now()).await.map_err(kind)?
            }
        };
        let arrival = opened.arrival;
        served.arrival = Some(arrival);
        let log = log(self.sent.what, self.sent.token);
        let Some(mut held) = opened.into_held() else {
            return match arrival {
                Arrival::Ended if !log.is_empty() && self.sent.what != What::Login => {
                    Err(ErrorKind::Gone)
                }
                _ => self.create(&log, None, served).await,
            };
        };
        served.opened = Some(held.record.clone());
        let done = if arrival == Arrival::Stale && !matches!(self.sent.what, What::Read) {
            Err(ErrorKind::Stale)
        } else {
            self.commit(&log, &mut held, served).await
        };
        if done.is_err() || served.cookie.is_none() && served.ended.is_none() {
            let text = self.sent.text.as_deref().unwrap_or_default();
            let anew = held.renewed
                || done == Err(ErrorKind::Stale)
                || self.node.reissues(&presented(text, self.now()), &held);
            if anew && done != Err(ErrorKind::Gone) {
                served.cookie = Some(issue(&*self.node, &held.record, &held.verifier));
            }
        }
        done
    }

    async fn commit(
        &self,
        log: &Log,
        held: &mut Held,
        served: &mut Served,
    ) -> Result<(), ErrorKind> {
        let mut turn = None;
        for _ in 0..50 {
            let plan = Plan::replay(log, Some(&held.record), held.known).map_err(kind)?;
            if *plan.target() != Target::Same {
                return self.leave(log, &plan, held, served).await;
            }
            let (patch, verifier) = self.patch(&plan, held);
            if patch.is_empty() {
                held.renewed |= plan.renews();
                served.left = Some(held.record.clone());
                return Ok(());
            }
            let is_note = patch.is_note();
            let applied = self
                .node
                .apply(&held.record, &patch, turn.take(), self.now());
            let refused: (Arc<Record>, Option<Turn>) = match applied.await.map_err(kind)? {
                Outcome::Applied(record) => {
                    held.renewed |= verifier.is_some();
                    held.verifier = verifier.unwrap_or(held.verifier.clone());
                    held.record = record.clone();
                    served.left = Some(record);
                    return Ok(());
                }
                Outcome::Conflict(record) => (record, None),
                Outcome::Retry(record, turn) => (record, Some(turn)),
                Outcome::Gone if is_note => return Ok(()),
                Outcome::Gone => return Err(ErrorKind::Gone),
            };
            turn = refused.1;
            if refused.0.version < held.known {
                held.record = refused.0;
                return Err(ErrorKind::Stale);
            }
            follow(held, refused.0)?;
        }
        Err(ErrorKind::Conflict)
    }

    /// The patch, with what the layer adds to it.
    fn patch(&self, plan: &Plan, held: &Held) -> (Patch, Option<Verifier>) {
        let (mut patch, now) = (plan.patch().clone(), self.now());
        let previous = held.record.previous.as_ref();
        let mut verifier = None;
        if plan.renews() && !previous.is_some_and(|previous| previous.is_honoured(now)) {
            let new = Verifier::random();
            patch.rotate(Some(Rotation {
                expect: held.record.hash,
                new: new.hash(),
                wrapped: held.verifier.wrap(&held.record.sid, &new),
            }));
            verifier = Some(new);
        }
        if held.record.is_touch_due(now) {
            patch.touch(now);
        }
        if !held.renewed && previous.is_some_and(|previous| previous.until.is_none()) {
            patch.confirm(now.after(GRACE));
        }
        (patch, verifier)
    }

    /// A logout, or a login that moves on from this session.
    async fn leave(
        &self,
        log: &Log,
        plan: &Plan,
        held: &Held,
        served: &mut Served,
    ) -> Result<(), ErrorKind> {
        let old = held.record.sid;
        if *plan.target() == Target::Nobody {
            let ended = self.end(old).await?;
            served.ended = Some((old, None));
            served.cookie = ended.map(|_| String::new());
            return Ok(());
        }
        self.create(log, Some(held), served).await?;
        let new = served.left.clone().unwrap();
        let Some(last) = self.end(old).await? else {
            if held.record.subject.is_none() {
                return Ok(());
            }
            // It was ended first, in the name of this subject: what follows ends as well.
            served.cookie = None;
            self.end(new.sid).await?;
            return Err(ErrorKind::Gone);
        };
        if last.version > held.record.version {
            let mut patch = Patch::new(new.version);
            for (name, text) in last.data.iter() {
                patch.set(name.clone(), text.clone());
            }
            let applied = self.node.apply(&new, &patch, None, self.now()).await;
            if let Outcome::Applied(record) = applied.map_err(kind)? {
                served.left = Some(record);
            }
        }
        served.ended = Some((old, Some(new.sid)));
        Ok(())
    }

    async fn create(
        &self,
        log: &Log,
        from: Option<&Held>,
        served: &mut Served,
    ) -> Result<(), ErrorKind> {
        let from = from.map(|held| &*held.record);
        let plan = Plan::replay(log, from, 0).map_err(kind)?;
        let Target::New { subject } = plan.target() else {
            return Ok(());
        };
        let credential = Credential::random();
        let mut record = Record::new(&credential, self.now(), &Lifetime::default());
        record.subject.clone_from(subject);
        record.data = plan.data(from);
        let record = Arc::new(record);
        let created = self.node.create(record.clone(), self.now()).await;
        if created.map_err(kind)? != Created::Created {
            return Err(ErrorKind::Gone);
        }
        served.cookie = Some(issue(&*self.node, &record, &credential.verifier));
        served.left = Some(record);
        Ok(())
    }

    async fn end(&self, sid: SessionId) -> Result<Option<Arc<Record>>, ErrorKind> {
        let now = self.now();
        let ended = self.node.end(sid, now, now.after(TOMBSTONE)).await;
        ended.map_err(kind)
    }
}

/// Takes over a newer record, and the verifier that another request renewed.
fn follow(held: &mut Held, record: Arc<Record>) -> Result<(), ErrorKind> {
    if record.hash != held.record.hash {
        let hash = held.verifier.hash();
        let previous = record
            .previous
            .iter()
            .find(|previous| previous.hash == hash);
        let wrapped = previous.ok_or(ErrorKind::Gone)?.wrapped;
        held.verifier = held.verifier.unwrap(&record.sid, &wrapped);
        held.renewed = true;
    }
    held.known = held.known.max(record.version);
    held.record = record;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn kind(error: sessile_core::Error) -> ErrorKind {
    error.kind()
}
