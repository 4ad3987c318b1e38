//! An operation that the strategy works on, and what came of it.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sessile_core::{Created, Outcome, Record, Result, Step};

/// What is waited for.
pub(super) enum Stage {
    Creating(Arc<Record>, Step<Result<Created>>),
    Applying(Step<Result<Outcome>>),
    Ending(Step<Result<Option<Arc<Record>>>>),
}

pub(super) enum Settled {
    Created(Arc<Record>, Result<Created>),
    Applied(Result<Outcome>),
    Ended(Result<Option<Arc<Record>>>),
}

impl Stage {
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Settled> {
        Poll::Ready(match self {
            Stage::Creating(record, step) => {
                let created = ready!(Pin::new(step).poll(context));
                Settled::Created(record.clone(), created)
            }
            Stage::Applying(step) => Settled::Applied(ready!(Pin::new(step).poll(context))),
            Stage::Ending(step) => Settled::Ended(ready!(Pin::new(step).poll(context))),
        })
    }
}
