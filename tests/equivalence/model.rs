//! What a session is, said as plainly as it can be: no store, no credential, no concurrency.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) type Data = BTreeMap<&'static str, u64>;

/// What the guarantees leave open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Requests at once are merged; else the last response wins, as a whole, since the state is in
    /// the credential.
    pub(crate) merges: bool,
    /// An ended session is so for every copy of its credentials.
    pub(crate) revokes: bool,
    /// A login takes the data along.
    pub(crate) inherits: bool,
}

/// One thing that a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Get(&'static str),
    Set(&'static str, u64),
    Remove(&'static str),
    Clear,
    Incr(&'static str),
    Take(&'static str),
    Renew,
    Login(&'static str),
    Logout,
}

/// A credential: whose session it names, and the state that travels in it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    session: usize,
    carried: Data,
}

#[derive(Debug)]
struct Kept {
    ended: bool,
    data: Data,
    subject: Option<&'static str>,
}

/// Every session that there ever was.
#[derive(Debug)]
pub(crate) struct Model {
    rules: Rules,
    sessions: Vec<Kept>,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Model {
            rules,
            sessions: Vec::new(),
        }
    }

    pub(crate) fn merges(&self) -> bool {
        self.rules.merges
    }

    /// Whether this credential opens nothing any more.
    pub(crate) fn is_dead(&self, held: &Held) -> bool {
        self.rules.revokes && self.sessions[held.session].ended
    }

    pub(crate) fn data(&self, held: Option<&Held>) -> Data {
        match held {
            Some(held) if self.is_dead(held) => Data::new(),
            Some(held) if self.rules.merges => self.sessions[held.session].data.clone(),
            Some(held) => held.carried.clone(),
            None => Data::new(),
        }
    }

    pub(crate) fn subject(&self, held: Option<&Held>) -> Option<&'static str> {
        let held = held.filter(|held| !self.is_dead(held))?;
        self.sessions[held.session].subject
    }

    /// A request with these steps by whoever holds this credential, which is not dead: what each
    /// step gives, and the credential afterwards.
    pub(crate) fn request(
        &mut self,
        held: Option<&Held>,
        steps: &[Step],
    ) -> (Vec<Value>, Option<Held>) {
        let mut view = View {
            data: self.data(held),
            subject: self.subject(held),
            session: held.map(|held| held.session),
            left: Vec::new(),
            made: false,
        };
        let inherits = self.rules.inherits;
        let results = steps
            .iter()
            .map(|step| view.take(*step, inherits))
            .collect();
        for left in view.left {
            self.sessions[left].ended = true;
        }
        if view.session.is_none() && view.made {
            view.session = Some(self.sessions.len());
            self.sessions.push(Kept {
                ended: false,
                data: Data::new(),
                subject: view.subject,
            });
        }
        let session = view.session;
        let held = session.map(|session| {
            self.sessions[session].data.clone_from(&view.data);
            let carried = view.data;
            Held { session, carried }
        });
        (results, held)
    }
}

/// A session as one request sees it.
struct View {
    data: Data,
    subject: Option<&'static str>,
    session: Option<usize>,
    /// Sessions that this request ends.
    left: Vec<usize>,
    /// Something was done that makes a session, if there is none.
    made: bool,
}

impl View {
    fn take(&mut self, step: Step, inherits: bool) -> Value {
        match step {
            Step::Get(key) => json!(self.data.get(key)),
            Step::Set(key, value) => {
                self.made = true;
                self.data.insert(key, value);
                Value::Null
            }
            Step::Remove(key) => json!(self.data.remove(key).is_some()),
            Step::Clear => {
                self.data.clear();
                Value::Null
            }
            Step::Incr(key) => {
                self.made = true;
                let value = self.data.entry(key).or_default();
                *value += 1;
                json!(*value)
            }
            Step::Take(key) => json!(self.data.remove(key)),
            Step::Renew => Value::Null,
            Step::Login(subject) => {
                if self.subject.is_some_and(|other| other != subject) || !inherits {
                    self.data.clear();
                }
                self.left.extend(self.session.take());
                self.subject = Some(subject);
                self.made = true;
                Value::Null
            }
            Step::Logout => {
                self.data.clear();
                self.left.extend(self.session.take());
                (self.subject, self.made) = (None, false);
                Value::Null
            }
        }
    }
}
