//! The commit: runs what the draft has left to do, one operation after the other, until nothing
//! is left.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sessile_core::{Created, Outcome, Plan, Record, Step, Timestamp};

use crate::draft::{Act, After};
use crate::handle::Handle;
use crate::{Error, ErrorKind, Result};

/// Commits a handle's changes. Nothing is boxed but what really waits for a store.
pub(crate) struct Commit {
    handle: Arc<Handle>,
    stage: Stage,
    /// Closes the handle when nothing is left: the response head leaves next.
    closes: bool,
    deadline: Timestamp,
}

enum Stage {
    Idle,
    Creating(Arc<Record>, Step<sessile_core::Result<Created>>),
    Applying(Step<sessile_core::Result<Outcome>>),
    Ending(Step<sessile_core::Result<Option<Arc<Record>>>>),
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
        let deadline = handle.now().after(handle.shared.deadline);
        Commit {
            handle,
            stage: Stage::Idle,
            closes,
            deadline,
        }
    }

    /// Hands the next operation to the strategy.
    fn start(&mut self, context: &mut Context<'_>) -> Poll<Option<Stage>> {
        let (shared, now) = (&self.handle.shared, self.handle.now());
        let mut draft = self.handle.lock();
        let act = match draft
            .as_deref_mut()
            .map(|draft| draft.next(now, &shared.lifetime, context.waker()))
        {
            Some(Err(_busy)) => return Poll::Pending,
            Some(Ok(act)) => act,
            None => None,
        };
        let Some(act) = act else {
            if self.closes {
                self.handle.close();
            }
            return Poll::Ready(None);
        };
        drop(draft);
        Poll::Ready(Some(match act {
            Act::Create(record) => {
                Stage::Creating(record.clone(), shared.strategy.create(record, now))
            }
            Act::Apply(record, patch) => {
                Stage::Applying(shared.strategy.apply(&record, patch, now))
            }
            Act::End(sid, until) => Stage::Ending(shared.strategy.end(sid, until)),
        }))
    }

    fn settle(&mut self, stage: Settled) -> Result<()> {
        let after = self.handle.with(|draft| {
            let settled = match stage {
                Settled::Created(record, created) => {
                    created.map(|created| draft.settle_create(record, created))
                }
                Settled::Applied(outcome) => outcome.map(|outcome| draft.settle_apply(outcome)),
                Settled::Ended(last) => last.map(|last| Ok(draft.settle_end(last))),
            };
            settled.unwrap_or_else(|error| {
                // What may have been applied is not tried again: it could be applied twice.
                draft.fail(error.kind() == ErrorKind::Unavailable);
                Err(error.into())
            })
        })?;
        match after {
            After::Nothing => Ok(()),
            After::Replay => self.handle.replay(),
            After::Retry if self.handle.now() < self.deadline => self.handle.replay(),
            After::Retry => Err(Error::new(
                ErrorKind::Conflict,
                "others kept changing what this update had read, until the deadline",
            )),
            After::Inherit(last, log) => {
                let data = Plan::replay(&log, Some(&last), 0)?.data(Some(&last));
                self.handle.with(|draft| {
                    draft.inherit(&data);
                    Ok(())
                })?;
                self.handle.replay()
            }
        }
    }
}

enum Settled {
    Created(Arc<Record>, sessile_core::Result<Created>),
    Applied(sessile_core::Result<Outcome>),
    Ended(sessile_core::Result<Option<Arc<Record>>>),
}

impl Future for Commit {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            let settled = match &mut self.stage {
                Stage::Idle => match ready!(self.start(context)) {
                    Some(stage) => {
                        self.stage = stage;
                        continue;
                    }
                    None => return Poll::Ready(Ok(())),
                },
                Stage::Creating(record, step) => {
                    let created = ready!(Pin::new(step).poll(context));
                    Settled::Created(record.clone(), created)
                }
                Stage::Applying(step) => Settled::Applied(ready!(Pin::new(step).poll(context))),
                Stage::Ending(step) => Settled::Ended(ready!(Pin::new(step).poll(context))),
            };
            self.stage = Stage::Idle;
            self.settle(settled)?;
        }
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        // The operation goes on or not, nobody will know: its changes are not tried again.
        if !matches!(self.stage, Stage::Idle)
            && let Some(draft) = self.handle.lock().as_deref_mut()
        {
            draft.fail(false);
        }
    }
}
