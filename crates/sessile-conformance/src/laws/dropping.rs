//! An operation whose future is dropped is done or not done, wherever that was.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use sessile_core::{Loaded, Record, Text};

use crate::law::Ground;
use crate::stage::{MINUTE, NOW, Stage, after, draft, name, set, told, value};
use crate::violation::{Holds, Violation, ensure};

/// Polls a future so many times at the most, and drops it then.
struct Cut<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(None);
        };
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls <= 1 => {
                self.future = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                self.polls -= 1;
                Poll::Pending
            }
        }
    }
}

fn cut<F: Future>(polls: usize, future: F) -> Cut<F> {
    Cut {
        future: Some(Box::pin(future)),
        polls,
    }
}

/// More polls than any operation takes.
const POLLS: usize = 64;

pub(crate) async fn a_patch_that_is_dropped_is_applied_whole_or_not_at_all(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    for polls in 1..=POLLS {
        let session = draft().holding("a", "0").holding("b", "0").of("ann");
        stage.put(&session).await?;
        let mut patch = set("a", "1");
        patch.set(name("b"), Text::from_encoded("1"));
        let sid = session.sid();
        let answer = cut(polls, stage.store.apply(&sid, NOW, &patch)).await;
        whole(&*stage.live(&sid, NOW).await?)?;
        // And the store goes on. What was dropped may still be on its way.
        stage.write(&sid, NOW, &set("c", "1")).await?;
        whole(&*stage.live(&sid, NOW).await?)?;
        if let Some(applied) = answer {
            applied?;
            return Ok(());
        }
    }
    Ok(())
}

/// Both keys are of the same patch.
fn whole(record: &Record) -> Holds {
    ensure!(
        value(record, "a") == value(record, "b"),
        "a patch that was dropped was applied in part"
    );
    ensure!(
        (value(record, "a") == Some("1")) <= (record.version > 1),
        "a patch that was dropped was applied without a version of its own"
    );
    Ok(())
}

pub(crate) async fn a_create_that_is_dropped_is_made_whole_or_not_at_all(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    for polls in 1..=POLLS {
        let subject = format!("ann {polls}");
        let session = draft().of(&subject).holding("a", "1");
        let sid = session.sid();
        let answer = cut(polls, stage.store.create(session.record(), None, NOW)).await;
        let created = match stage.load(&sid, NOW).await? {
            Loaded::Live(record) => {
                ensure!(
                    record == session.record(),
                    "a create that was dropped made another record"
                );
                let listed = stage.listed(&subject, NOW).await?;
                ensure!(
                    listed == [sid],
                    "a create that was dropped made a session that is not listed"
                );
                true
            }
            Loaded::Absent => false,
            other => {
                return Err(Violation::new(format!(
                    "after a create that was dropped, its id is {}",
                    told(&other)
                )));
            }
        };
        if let Some(answer) = answer {
            answer?;
            ensure!(created, "a create that was acknowledged made nothing");
            return Ok(());
        }
    }
    Ok(())
}

pub(crate) async fn an_end_that_is_dropped_can_be_made_again(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for polls in 1..=POLLS {
        let session = draft().of("ann");
        let sid = session.sid();
        stage.put(&session).await?;
        let answer = cut(polls, stage.store.end(&sid, NOW, after(MINUTE))).await;
        stage.end(&sid, NOW, after(MINUTE)).await?;
        ensure!(
            !stage.is_live(&sid, NOW).await?,
            "after an end that was dropped and made again, a session is live"
        );
        if let Some(answer) = answer {
            answer?;
            return Ok(());
        }
    }
    Ok(())
}
