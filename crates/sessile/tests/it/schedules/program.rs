//! What tasks do to their session, and what they were told.

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    Insert,
    Remove,
    Update,
    UpdateNow,
    Take,
    Renew,
    Relogin,
    Commit,
    Reload,
    Yield,
    Clear,
    Login,
    Logout,
}

/// One request: its tasks, and whether the response waits for all of them or for the first alone.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) jar: usize,
    pub(super) tasks: Vec<Vec<Do>>,
    pub(super) waits: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) requests: Vec<Plan>,
    pub(super) schedule: Vec<u8>,
    pub(super) faults: bool,
    pub(super) drops: bool,
}

/// How much is known of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    Acknowledged,
    Maybe,
    Refused,
}

pub(super) struct Update {
    pub(super) id: u64,
    pub(super) request: usize,
    pub(super) known: Known,
}

/// What the programs were told.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) next: u64,
    pub(super) updates: Vec<Update>,
    /// Who was logged in when this value was written.
    pub(super) subjects: BTreeMap<u64, Option<String>>,
    pub(super) taken: u64,
    pub(super) answers: BTreeMap<usize, StatusCode>,
    pub(super) trace: Vec<String>,
}

impl Notes {
    pub(super) fn fresh(&mut self, session: &Session) -> u64 {
        self.next += 1;
        let subject = session.subject().map(|subject| subject.to_string());
        self.subjects.insert(self.next, subject);
        self.next
    }

    pub(super) fn begin(&mut self, session: &Session, request: usize) -> u64 {
        let id = self.fresh(session);
        let known = Known::Nothing;
        self.updates.push(Update { id, request, known });
        id
    }

    pub(super) fn settle(&mut self, request: usize, up_to: u64, to: Known) {
        for update in &mut self.updates {
            if update.request == request && update.id <= up_to && update.known == Known::Nothing {
                update.known = to;
            }
        }
    }

    /// A commit that began when `up_to` was the last id came to this.
    pub(super) fn committed<T>(&mut self, request: usize, up_to: u64, result: &sessile::Result<T>) {
        match result {
            Ok(_) => self.settle(request, up_to, Known::Acknowledged),
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            Err(_) => self.settle(request, u64::MAX, Known::Maybe),
        }
    }
}

pub(super) type Shared = Rc<RefCell<Notes>>;

pub(super) fn push(id: u64) -> impl Fn(&mut Vec<u64>) + Send + Sync + 'static {
    move |bag| bag.push(id)
}

pub(super) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) async fn perform(what: Do, request: usize, session: &Session, notes: &Shared) {
    let last = notes.borrow().next;
    match what {
        Do::Insert => {
            let id = notes.borrow_mut().fresh(session);
            let _ = session.insert("k", id);
        }
        Do::Remove => drop(session.remove("k")),
        Do::Clear => drop(session.clear()),
        Do::Renew => drop(session.renew()),
        Do::Relogin => drop(session.login("alice")),
        Do::Login => drop(session.login("bob")),
        Do::Logout => drop(session.logout()),
        Do::Yield => yield_once().await,
        Do::Update => {
            let id = notes.borrow_mut().begin(session, request);
            if session.update("bag", push(id)).is_err() {
                notes.borrow_mut().updates.last_mut().unwrap().known = Known::Refused;
            }
        }
        Do::UpdateNow => {
            let id = notes.borrow_mut().begin(session, request);
            let done = session.update_now("bag", push(id)).await;
            let mut notes = notes.borrow_mut();
            notes
                .trace
                .push(format!("r{request} update_now {id}: {done:?}"));
            notes.committed(request, id, &done);
        }
        Do::Take => {
            let got = session.take_now::<u64>("code").await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} take: {got:?}"));
            match &got {
                Ok(None) => {}
                Ok(Some(_)) => {
                    notes.taken += 1;
                    notes.committed(request, last, &got);
                }
                Err(_) => notes.committed(request, last, &got),
            }
        }
        Do::Commit => {
            let done = session.commit().await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} commit: {done:?}"));
            notes.committed(request, last, &done);
        }
        Do::Reload => {
            let done = session.reload().await;
            let mut notes = notes.borrow_mut();
            notes.trace.push(format!("r{request} reload: {done:?}"));
            notes.committed(request, 0, &done);
        }
    }
}
