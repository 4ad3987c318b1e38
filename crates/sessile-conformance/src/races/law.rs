//! The laws of races: what must be so whatever the order was.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::Outcome;
use super::program::{PROGRAMS, Program};
use super::schedule::{Orders, run};
use super::world::World;
use crate::Depth;
use crate::law::Ground;
use crate::stage::{DAY, HOUR, MINUTE, NOW, Stage, draft_at};
use crate::violation::{Holds, Violation};

use Program::{Expire, Login, Logout, Renew, Sweep, Touch, Update, Write};

pub(crate) async fn no_schedule_loses_what_was_acknowledged(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Write],
        third: &[Write, Update, Renew, Logout],
        holds: Outcome::loses_nothing,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_loses_or_doubles_an_update(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Update],
        third: &[Update, Write, Renew],
        holds: Outcome::counts_exactly,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_brings_an_ended_session_back(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Logout, Login],
        third: &[Write, Logout, Sweep],
        holds: Outcome::stays_ended,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_carries_into_a_login_what_came_after_it(
    ground: Ground<'_>,
) -> Holds {
    let law = Race {
        at_stake: &[Login],
        third: &[Write],
        holds: Outcome::carries_nothing_over,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_gives_a_verifier_two_successors(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Renew],
        third: &[Renew, Touch],
        holds: Outcome::has_one_successor_each,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_locks_the_newest_credential_out(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Renew],
        third: &[Renew, Write, Touch],
        holds: Outcome::locks_nobody_out,
    };
    law.check(&ground).await
}

pub(crate) async fn no_schedule_outlives_a_deadline(ground: Ground<'_>) -> Holds {
    let law = Race {
        at_stake: &[Expire],
        third: &[Touch, Write, Sweep],
        holds: Outcome::expires,
    };
    law.check(&ground).await
}

/// A law of races: which requests are at stake, and what must be so in the end.
struct Race {
    /// Every mix has one of these.
    at_stake: &'static [Program],
    /// At the standard depth, the others of a mix of three are of these.
    third: &'static [Program],
    holds: fn(&Outcome) -> Holds,
}

impl Race {
    async fn check(&self, ground: &Ground<'_>) -> Holds {
        let stage = Stage::new(ground).await;
        let mut day = 0;
        for mix in self.mixes(ground.depth) {
            // With `Expire` once for each deadline.
            let both = mix.contains(&Expire);
            for idle_first in [true, false].into_iter().take(1 + usize::from(both)) {
                let mut orders = Orders::default();
                loop {
                    day += 1;
                    self.one(&stage, &mix, &mut orders, day, idle_first).await?;
                    if !orders.next() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// One order of one mix, on a session of its own. Each has a day to itself: what an earlier one
    /// left is past every deadline, and there for a sweep to find.
    async fn one(
        &self,
        stage: &Stage,
        mix: &[Program],
        orders: &mut Orders,
        day: u32,
        idle_first: bool,
    ) -> Holds {
        let now = NOW.after(DAY * day);
        let (idle, absolute) = match idle_first {
            true => (MINUTE * 30, HOUR * 12),
            false => (HOUR * 18, HOUR * 12),
        };
        let life: Duration = idle.min(absolute) + MINUTE;
        let session = draft_at(now)
            .idle(idle)
            .absolute(absolute)
            .holding("n", "0");
        stage.put(&session).await?;
        let world = Arc::new(World::new(stage.store.clone(), &session, now, life));
        let (order, done) = run(&world, mix, orders).await;
        let in_order = |violation: Violation| violation.of(format!("{order:?}"));
        done.map_err(in_order)?;
        let outcome = Outcome::of(world).await.map_err(in_order)?;
        (self.holds)(&outcome).map_err(in_order)
    }

    /// The mixes of requests to be tried, each once, whatever the order in it.
    fn mixes(&self, depth: Depth) -> Vec<Vec<Program>> {
        let mut mixes = Vec::new();
        let third: &[Program] = match depth {
            Depth::Quick => &[],
            Depth::Standard => self.third,
            Depth::Full => &PROGRAMS,
        };
        for first in self.at_stake {
            mixes.extend(PROGRAMS.map(|second| vec![*first, second]));
            for second in third {
                mixes.extend(third.iter().map(|third| vec![*first, *second, *third]));
            }
        }
        for mix in &mut mixes {
            mix.sort();
        }
        mixes.sort();
        mixes.dedup();
        mixes
    }
}
