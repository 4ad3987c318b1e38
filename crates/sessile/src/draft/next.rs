//! What is left to do: the next operation for the strategy.

use std::sync::Arc;
use std::task::Waker;

use sessile_core::{
    Credential, GRACE, Lifetime, Patch, Record, Rotation, SessionId, TOMBSTONE, Target, Timestamp,
    Verifier,
};

use super::{Draft, Issue, Running};

/// An operation for the strategy.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "taken apart where it is made, never kept"
)]
pub(crate) enum Act {
    Create(Arc<Record>),
    Apply(Arc<Record>, Patch),
    End(SessionId, Timestamp),
}

/// Another operation is running; the waker will be called when it is done.
#[derive(Debug)]
pub(crate) struct Busy;

impl Draft {
    /// The next operation, if no other one is running; `Err` then.
    pub(crate) fn next(
        &mut self,
        now: Timestamp,
        lifetime: &Lifetime,
        waker: &Waker,
    ) -> std::result::Result<Option<Act>, Busy> {
        if self.running.is_some() {
            self.waiting.push(waker.clone());
            return Err(Busy);
        }
        let mut running = Running {
            changes: self.log.len(),
            credential: None,
            is_note: false,
        };
        let act = match (&self.left, &self.held, self.plan.target()) {
            (Some(left), ..) => Act::End(left.sid, now.after(TOMBSTONE)),
            (None, Some(held), _) if self.plan.ends_first() => {
                Act::End(held.record.sid, now.after(TOMBSTONE))
            }
            (None, _, Target::New { subject }) => {
                let subject = subject.clone();
                let credential = Credential {
                    sid: self.sid(),
                    verifier: Verifier::random(),
                };
                let mut record =
                    Record::new(&credential, now, &self.plan.lifetime().unwrap_or(*lifetime));
                record.subject = subject;
                record.data = self.data();
                running.credential = Some(credential);
                Act::Create(Arc::new(record))
            }
            (None, Some(held), Target::Same) => {
                let mut patch = self.plan.patch();
                if self.plan.renews() {
                    // A session has one predecessor at a time. While that is honoured a renew is
                    // answered with the credential that is current already.
                    if held
                        .record
                        .previous
                        .as_ref()
                        .is_some_and(|previous| previous.is_honoured(now))
                    {
                        self.issue = Issue::Credential;
                    } else {
                        let (sid, old, new) = (
                            held.record.sid,
                            &held.credential.verifier,
                            Verifier::random(),
                        );
                        let wrapped = old.wrap(&sid, &new);
                        patch.rotate(Rotation {
                            expect: held.record.hash,
                            new: new.hash(),
                            wrapped,
                        });
                        running.credential = Some(Credential { sid, verifier: new });
                    }
                }
                running.is_note = !patch.is_write();
                if held.record.is_touch_due(now) {
                    patch.touch(now);
                }
                if self.confirm {
                    patch.confirm(now.after(GRACE));
                }
                if patch.is_empty() {
                    self.forget(running.changes);
                    return Ok(None);
                }
                Act::Apply(held.record.clone(), patch)
            }
            (None, None, Target::Same) | (None, _, Target::Nobody) => {
                self.forget(running.changes);
                return Ok(None);
            }
        };
        self.running = Some(running);
        Ok(Some(act))
    }
}
