//! What is left to do: the next operation for the strategy.

use std::sync::Arc;
use std::task::Waker;

use sessile_core::{
    Credential, GRACE, Held, Lifetime, Patch, Record, Rotation, SessionId, TOMBSTONE, Target,
    Timestamp, Verifier,
};

use super::{Draft, Issue, Running};

/// An operation for the strategy.
#[derive(Debug)]
pub(crate) enum Act<'a> {
    Create(Arc<Record>),
    Apply(&'a Arc<Record>, &'a Patch),
    End(SessionId, Timestamp),
}

/// Another operation is running; the waker will be called when it is done.
#[derive(Debug)]
pub(crate) struct Busy;

impl Draft {
    /// The next operation, if there is one.
    pub(crate) fn next(
        &mut self,
        now: Timestamp,
        lifetime: &Lifetime,
        waker: &Waker,
    ) -> Result<Option<Act<'_>>, Busy> {
        if self.is_running() {
            if !self.waiting.iter().any(|waiting| waiting.will_wake(waker)) {
                self.waiting.push(waker.clone());
            }
            return Err(Busy);
        }
        if self.is_settled(now) {
            // What was done came to nothing and has been answered: it must not run again.
            if !self.log.is_empty() {
                self.forget(usize::MAX);
            }
            return Ok(None);
        }
        let ended = match (&self.left, &self.held) {
            (Some(left), _) => Some(left.sid),
            (None, Some(held)) if self.plan.ends_first() => Some(held.record.sid),
            _ => None,
        };
        self.running = Some(Running {
            changes: self.log.len(),
            is_end: ended.is_some(),
            ..Running::default()
        });
        if let Some(sid) = ended {
            return Ok(Some(Act::End(sid, now.after(TOMBSTONE))));
        }
        if matches!(self.plan.target(), Target::New { .. }) {
            return Ok(Some(Act::Create(self.new_record(now, lifetime))));
        }
        if self.prepare_patch(now) {
            return Ok(self.patch());
        }
        // What was done comes to nothing, such as a removal of what was not there.
        self.running = None;
        self.forget(usize::MAX);
        Ok(None)
    }

    fn new_record(&mut self, now: Timestamp, lifetime: &Lifetime) -> Arc<Record> {
        let mut credential = Credential::random();
        // Somebody may have asked for the id before.
        credential.sid = self.next_sid.unwrap_or(credential.sid);
        let lifetime = self.plan.lifetime().unwrap_or(*lifetime);
        let mut record = Record::new(&credential, now, &lifetime);
        if let Target::New { subject } = self.plan.target() {
            record.subject.clone_from(subject);
        }
        record.data = self.view().data();
        if let Some(running) = &mut self.running {
            running.verifier = Some(credential.verifier);
        }
        Arc::new(record)
    }

    /// Adds rotation and notes of use to the patch; `false` if there is nothing to apply.
    fn prepare_patch(&mut self, now: Timestamp) -> bool {
        let Some(held) = &self.held else { return false };
        if *self.plan.target() != Target::Same {
            return false;
        }
        let rotated = if self.plan.renews() {
            rotate(held, now)
        } else {
            None
        };
        if self.plan.renews() && rotated.is_none() {
            self.issue = Issue::Credential;
        }
        let patch = self.plan.patch_mut();
        let (verifier, rotation) = rotated.unzip();
        patch.rotate(rotation);
        if held.record.is_touch_due(now) {
            patch.touch(now);
        }
        if self.confirm {
            patch.confirm(now.after(GRACE));
        }
        let (is_note, is_empty) = (patch.is_note(), patch.is_empty());
        if let Some(running) = &mut self.running {
            running.is_note = is_note;
            running.moves_deadline = self.plan.lifetime().is_some();
            running.verifier = verifier;
        }
        !is_empty
    }

    fn patch(&self) -> Option<Act<'_>> {
        let held = self.held.as_ref()?;
        Some(Act::Apply(&held.record, self.plan.patch()))
    }
}

/// A new verifier for a session, unless it has a predecessor that is still honoured: it has one
/// at a time, and a renew meanwhile is answered with the credential that is current already.
fn rotate(held: &Held, now: Timestamp) -> Option<(Verifier, Rotation)> {
    if held
        .record
        .previous
        .as_ref()
        .is_some_and(|previous| previous.is_honoured(now))
    {
        return None;
    }
    let (old, new) = (&held.verifier, Verifier::random());
    let rotation = Rotation {
        expect: held.record.hash,
        new: new.hash(),
        wrapped: old.wrap(&held.record.sid, &new),
    };
    Some((new, rotation))
}
