//! What a schedule came to, and what must be so whatever the order was.

use std::sync::Arc;

use sessile_core::{Loaded, Record, SessionId, Verdict};

use super::world::{Event, World};
use crate::stage::{told, value};
use crate::violation::{Holds, Violation, ensure};

/// What a schedule came to.
pub(super) struct Outcome {
    world: Arc<World>,
    journal: Vec<Event>,
    /// The session that all requests came with.
    last: Loaded,
    /// The sessions that logins made, and what each inherited.
    logins: Vec<Login>,
}

struct Login {
    sid: SessionId,
    new: Loaded,
    /// The last state of the session that it left, if this login ended it.
    left: Option<Arc<Record>>,
}

/// Where the data is now, or was when it was last handed out.
struct Holder<'a> {
    record: &'a Record,
    what: &'static str,
}

impl Outcome {
    /// Looks at everything once more.
    pub(super) async fn of(world: Arc<World>) -> Result<Self, Violation> {
        let journal = world.journal();
        let last = world.stage.load(&world.sid, world.now()).await?;
        let mut logins = Vec::new();
        for (at, event) in journal.iter().enumerate() {
            let Event::LoggedIn(sid) = event else {
                continue;
            };
            let left = match journal.get(at + 1) {
                Some(Event::Ended(left)) => left.clone(),
                _ => None,
            };
            logins.push(Login {
                sid: *sid,
                new: world.stage.load(sid, world.now()).await?,
                left,
            });
        }
        Ok(Outcome {
            world,
            journal,
            last,
            logins,
        })
    }

    /// Everybody who holds the data of the session, or held it last.
    fn holders(&self) -> Vec<Holder<'_>> {
        let mut holders = Vec::new();
        if let Loaded::Live(record) = &self.last {
            let what = "the session";
            holders.push(Holder { record, what });
        }
        for event in &self.journal {
            if let Event::Ended(Some(record)) = event {
                let what = "the last state";
                holders.push(Holder { record, what });
            }
        }
        for login in &self.logins {
            if let (Some(_), Loaded::Live(record)) = (&login.left, &login.new) {
                let what = "the session that a login made";
                holders.push(Holder { record, what });
            }
        }
        holders
    }

    /// What a request was answered that no store may answer.
    fn nothing_wrong(&self) -> Holds {
        for event in &self.journal {
            if let Event::Wrong(what) = event {
                return Err(Violation::new(*what));
            }
        }
        Ok(())
    }

    /// Whether nobody but time took the session away.
    fn is_kept(&self) -> bool {
        !self
            .journal
            .iter()
            .any(|event| matches!(event, Event::Ended(_) | Event::Expired))
    }

    pub(super) fn loses_nothing(&self) -> Holds {
        self.nothing_wrong()?;
        ensure!(
            !self.is_kept() || matches!(self.last, Loaded::Live(_)),
            "a session that nobody ended is {}",
            told(&self.last)
        );
        let holders = self.holders();
        for event in &self.journal {
            let Event::Wrote(key) = event else { continue };
            for holder in &holders {
                ensure!(
                    value(holder.record, key).is_some(),
                    "an acknowledged write is not in {}",
                    holder.what
                );
            }
        }
        Ok(())
    }

    pub(super) fn counts_exactly(&self) -> Holds {
        self.nothing_wrong()?;
        let updates = self
            .journal
            .iter()
            .filter(|event| matches!(event, Event::Updated));
        let updates = updates.count();
        for holder in self.holders() {
            let counted = value(holder.record, "n").unwrap_or("0");
            ensure!(
                counted == updates.to_string(),
                "of {updates} acknowledged updates, {counted} are in {}",
                holder.what
            );
        }
        Ok(())
    }

    pub(super) fn stays_ended(&self) -> Holds {
        let mut ends = 0;
        let mut handed_out = 0;
        for event in &self.journal {
            match event {
                Event::Ended(last) => {
                    ends += 1;
                    handed_out += usize::from(last.is_some());
                }
                Event::Found => ensure!(ends == 0, "an ended session was found live"),
                Event::Wrote(_) | Event::Updated | Event::Noted | Event::Rotated(_) => {
                    ensure!(ends == 0, "a patch for an ended session was acknowledged");
                }
                Event::LoggedIn(_) | Event::Expired | Event::Wrong(_) => {}
            }
        }
        if ends > 0 {
            ensure!(
                matches!(self.last, Loaded::Ended | Loaded::Absent),
                "an ended session is {}",
                told(&self.last)
            );
            let expired = self
                .journal
                .iter()
                .any(|event| matches!(event, Event::Expired));
            ensure!(
                handed_out == 1 || (expired && handed_out == 0),
                "of {ends} ends, {handed_out} got the last state"
            );
        }
        Ok(())
    }

    pub(super) fn carries_nothing_over(&self) -> Holds {
        for login in &self.logins {
            let Loaded::Live(new) = &login.new else {
                continue;
            };
            ensure!(
                new.subject.as_deref() == Some("ann"),
                "a login made a session of somebody else"
            );
            ensure!(
                matches!(
                    new.verify(&self.world.first, self.world.now()),
                    Verdict::Wrong
                ),
                "the credential from before a login opens the session that it made"
            );
            // What came after the end of this login has no place in its session.
            let after = self
                .journal
                .iter()
                .skip_while(|event| !matches!(event, Event::LoggedIn(sid) if *sid == login.sid));
            for event in after {
                let Event::Wrote(key) = event else { continue };
                ensure!(
                    value(new, key).is_none(),
                    "what was written with the old credential after a login is in its session"
                );
            }
            let Some(left) = &login.left else { continue };
            for (name, _) in new.data.iter() {
                ensure!(
                    left.data.get(name.as_str()).is_some(),
                    "the session that a login made holds what the one it left did not"
                );
            }
        }
        Ok(())
    }

    pub(super) fn has_one_successor_each(&self) -> Holds {
        let mut replaced = Vec::new();
        for event in &self.journal {
            let Event::Rotated(from) = event else {
                continue;
            };
            ensure!(
                !replaced.contains(from),
                "two rotations from one verifier were acknowledged"
            );
            replaced.push(*from);
        }
        Ok(())
    }

    pub(super) fn locks_nobody_out(&self) -> Holds {
        self.nothing_wrong()?;
        let Loaded::Live(record) = &self.last else {
            return Ok(());
        };
        let now = self.world.now();
        ensure!(
            matches!(
                record.verify(&self.world.jar(), now),
                Verdict::Current | Verdict::Previous { .. }
            ),
            "what the client was given last does not open its session"
        );
        ensure!(
            matches!(
                record.verify(&self.world.first, now),
                Verdict::Current | Verdict::Previous { .. }
            ),
            "within the grace, the verifier that was replaced does not open the session"
        );
        Ok(())
    }

    pub(super) fn expires(&self) -> Holds {
        let mut expired = false;
        for event in &self.journal {
            match event {
                Event::Expired => expired = true,
                Event::Found => ensure!(!expired, "a session past its deadline was found live"),
                Event::Wrote(_) | Event::Updated | Event::Noted | Event::Rotated(_) => ensure!(
                    !expired,
                    "a patch for a session past its deadline was acknowledged"
                ),
                Event::Ended(_) | Event::LoggedIn(_) | Event::Wrong(_) => {}
            }
        }
        ensure!(
            !expired || !matches!(self.last, Loaded::Live(_)),
            "a session past its deadline is live"
        );
        Ok(())
    }
}
