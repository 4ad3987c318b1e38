//! The commit: runs what the draft has left to do, one operation after the other, until nothing
//! is left.

mod stage;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sessile_core::{Log, Outcome, Plan, Record, Strategy, Timestamp, Turn};
use stage::{Settled, Stage};

use crate::draft::{Act, After, Draft};
use crate::handle::{DraftGuard, Handle};
use crate::{Error, ErrorKind, Result, telemetry};

/// Commits a handle's changes. Nothing is boxed but what really waits for a store.
pub(crate) struct Commit {
    handle: Arc<Handle>,
    /// What was handed to the strategy and not answered yet.
    stage: Option<Stage>,
    /// Closes the handle when nothing is left: the response head leaves next.
    closes: bool,
    deadline: Option<Timestamp>,
    /// An error to be told when the rest is done.
    owed: Option<Error>,
    /// How often changes had been dropped when this one began to wait for another commit.
    waited: Option<u64>,
    /// The time of this poll, once somebody needed it.
    now: Option<Timestamp>,
    /// What was handed to the strategy last was data, and data alone.
    data_only: bool,
    /// Nobody waits for it any more: it ends the session that is to be ended, and begins nothing
    /// else.
    detached: bool,
    /// It has answered.
    done: bool,
    /// A place in the strategy's line, from a conflict to the next try.
    turn: Option<Turn>,
}

impl Commit {
    /// The commit that a handler asks for, in its midst or after the response head left.
    pub(crate) fn now(handle: Arc<Handle>) -> Self {
        Commit::new(handle, false)
    }

    /// The commit before the response head leaves.
    pub(crate) fn last(handle: Arc<Handle>) -> Self {
        Commit::new(handle, true)
    }

    fn new(handle: Arc<Handle>, closes: bool) -> Self {
        Commit {
            handle,
            stage: None,
            closes,
            deadline: None,
            owed: None,
            waited: None,
            now: None,
            data_only: false,
            detached: false,
            done: false,
            turn: None,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Hands the next operation to the strategy, and settles it if its outcome is there at once.
    fn start(&mut self, context: &mut Context<'_>) -> Poll<Result<Started>> {
        let shared = &self.handle.shared;
        let now = *self.now.get_or_insert_with(|| self.handle.now());
        self.deadline
            .get_or_insert_with(|| now.after(shared.deadline));
        let mut draft = self.handle.draft();
        while draft.is_behind() {
            drop(draft);
            self.handle.replay(usize::MAX)?;
            draft = self.handle.draft();
        }
        if let Some(error) = self.waited.and_then(|since| draft.failed_since(since)) {
            draft.take_lost();
            return Poll::Ready(Err(error));
        }
        // What is left is done all the same: it may be what a login has to inherit.
        if let Some(lost) = draft.take_lost() {
            self.owed.get_or_insert(lost);
        }
        if self.detached && !draft.is_ending() {
            return Poll::Ready(Ok(Started::Nothing));
        }
        self.data_only = draft.is_data_only();
        let act = match draft.next(now, &shared.lifetime, context.waker()) {
            Err(_busy) => {
                // Somebody else's operation saves our changes too, or fails to.
                let failures = draft.failures();
                self.waited.get_or_insert(failures);
                drop(draft);
                // That one may be behind us in the strategy's line.
                self.turn = None;
                return Poll::Pending;
            }
            Ok(Some(act)) => act,
            Ok(None) => return Poll::Ready(Ok(self.ends(&mut draft))),
        };
        // For a try of what was refused, and given up by anything else.
        let turn = self.turn.take();
        let strategy = &*shared.strategy;
        let stage = match act {
            Act::Create(record) => Stage::Creating(record.clone(), strategy.create(record, now)),
            Act::Apply(record, patch) => {
                match strategy.apply(record, patch, turn, now).into_ready() {
                    // Mostly it is: the draft stays locked, and nothing is moved about.
                    Ok(outcome) => {
                        let after = settle_apply(&mut draft, outcome, strategy, &mut self.turn);
                        // And mostly nothing is left then.
                        if matches!(after, Ok(After::Nothing)) && draft.is_settled(now) {
                            return Poll::Ready(Ok(self.ends(&mut draft)));
                        }
                        return Poll::Ready(Ok(Started::Settled(after)));
                    }
                    Err(step) => Stage::Applying(step),
                }
            }
            Act::End(sid, until) => Stage::Ending(strategy.end(sid, now, until)),
        };
        Poll::Ready(Ok(Started::Waits(stage)))
    }

    /// Nothing is left, and no credential leaves any more if the head is next.
    fn ends(&self, draft: &mut DraftGuard<'_>) -> Started {
        if self.closes {
            draft.close();
        }
        Started::Nothing
    }

    fn settle(&mut self, settled: Settled) -> Result<After> {
        let strategy = &*self.handle.shared.strategy;
        let mut draft = self.handle.draft();
        match settled {
            Settled::Created(record, Ok(created)) => draft.settle_create(record, created),
            Settled::Applied(outcome) => {
                settle_apply(&mut draft, outcome, strategy, &mut self.turn)
            }
            Settled::Ended(Ok(last)) => draft.settle_end(last),
            Settled::Created(_, Err(error)) | Settled::Ended(Err(error)) => {
                Err(fail(&mut draft, error))
            }
        }
    }

    /// What is to be done before the next operation.
    fn go_on(&mut self, after: After) -> Result<()> {
        match after {
            After::Nothing => Ok(()),
            After::Replay => {
                // What was done meanwhile: should it fail, whoever commits next is told.
                let _ = self.handle.replay(0);
                Ok(())
            }
            After::Retry(changes)
                if self
                    .deadline
                    .is_some_and(|deadline| self.handle.now() < deadline) =>
            {
                self.handle.replay(changes)
            }
            After::Retry(_) => Err(Error::new(
                ErrorKind::Conflict,
                "others kept changing what this update had read, until the deadline",
            )),
            After::Inherit(last, log) => {
                self.inherit(&last, &log);
                let _ = self.handle.replay(0);
                Ok(())
            }
        }
    }

    /// Gives the session that a login made what the one it left held at its end, with the log run
    /// on that. Should that fail, the client still gets its new session, with all that was
    /// acknowledged, and is told of the failure.
    fn inherit(&mut self, last: &Record, log: &Log) {
        let replayed = Plan::replay(log, Some(last), 0).and_then(|plan| {
            let data = plan.data(Some(last));
            data.check_limit()?;
            Ok(data)
        });
        let mut draft = self.handle.draft();
        match replayed {
            Ok(data) => draft.inherit(&data),
            Err(error) => {
                draft.inherit(&last.data);
                self.owed = Some(error.into());
            }
        }
    }

    fn run(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.now = None;
        loop {
            let after = match &mut self.stage {
                Some(stage) => {
                    let settled = ready!(stage.poll(context));
                    self.stage = None;
                    self.settle(settled)
                }
                None => match ready!(self.start(context)) {
                    Ok(Started::Settled(after)) => after,
                    Ok(Started::Waits(stage)) => {
                        self.stage = Some(stage);
                        continue;
                    }
                    Ok(Started::Nothing) => {
                        let owed = self.owed.take().map_or(Ok(()), Err);
                        self.closes = false;
                        return Poll::Ready(owed);
                    }
                    Err(error) => return Poll::Ready(Err(self.fails(error))),
                },
            };
            match after.and_then(|after| self.go_on(after)) {
                Ok(()) => {}
                Err(error) if self.forgives(&error) => telemetry::gone_on_read(self.handle.name()),
                Err(error) => return Poll::Ready(Err(self.fails(error))),
            }
        }
    }

    fn fails(&mut self, error: Error) -> Error {
        if std::mem::take(&mut self.closes) {
            self.handle.close();
        }
        error
    }

    /// A session that ended under a request that only reads is no failure of that request.
    fn forgives(&self, error: &Error) -> bool {
        self.closes && self.data_only && self.handle.reads && error.kind() == ErrorKind::Gone
    }
}

/// What became of the next operation.
enum Started {
    /// There was none, or none is left after it.
    Nothing,
    Settled(Result<After>),
    Waits(Stage),
}

/// Settles a patch. A place in the strategy's line is kept for the next try.
fn settle_apply(
    draft: &mut Draft,
    outcome: sessile_core::Result<Outcome>,
    strategy: &dyn Strategy,
    turn: &mut Option<Turn>,
) -> Result<After> {
    match outcome {
        Ok(Outcome::Retry(record, place)) => {
            *turn = Some(place);
            draft.settle_apply(Outcome::Conflict(record), strategy)
        }
        Ok(outcome) => draft.settle_apply(outcome, strategy),
        Err(error) => Err(fail(draft, error)),
    }
}

/// What may have been applied is not tried again: it could be applied twice. An end is: twice is
/// as good as once.
fn fail(draft: &mut Draft, error: sessile_core::Error) -> Error {
    let error = error.into();
    draft.fail(&error);
    error
}

impl Future for Commit {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let answer = ready!(self.run(context));
        self.done = true;
        // Whoever polled this may keep it. Nobody is to wait in line for that.
        self.turn = None;
        Poll::Ready(answer)
    }
}

impl Commit {
    /// Goes on without whoever waited, if a session is to be ended: a logout that the client gave
    /// up waiting for must not leave it alive. Says whether it does.
    #[cfg(feature = "stored")]
    fn finish_detached(&mut self) -> bool {
        if self.done || self.detached || !self.handle.draft().is_ending() {
            return false;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return false;
        };
        let mut rest = Commit::new(self.handle.clone(), false);
        std::mem::swap(&mut rest.stage, &mut self.stage);
        rest.detached = true;
        let (handle, closes) = (self.handle.clone(), self.closes);
        if closes {
            handle.close(); // no head will leave, from now on
        }
        runtime.spawn(async move {
            // Whatever comes of it, nobody is there to be told.
            let _ = tokio::time::timeout(handle.shared.deadline, rest).await;
            if closes {
                handle.abandon();
            }
        });
        true
    }

    /// Without a runtime nothing waits, and so nothing is given up half-way.
    #[cfg(not(feature = "stored"))]
    fn finish_detached(&mut self) -> bool {
        false
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        if self.finish_detached() {
            return;
        }
        // The operation goes on or not, nobody will know: its changes are not tried again, and
        // whoever commits next is told.
        if self.stage.is_some() {
            let error = Error::new(
                ErrorKind::Unknown,
                "a commit was given up before its outcome was known",
            );
            self.handle.draft().give_up(&error);
        }
        // Given up before it was done: no head will leave.
        if self.closes {
            self.handle.abandon();
        }
    }
}
