//! The requests of which schedules are made: a few calls each, as sessile makes them.

use std::sync::Arc;

use sessile_core::{
    Applied, Created, GRACE, Loaded, Patch, Record, TOMBSTONE, Text, Verdict, Verifier,
};

use super::world::{Event, Turn, World};
use crate::stage::{draft_at, name, rotation, swap, value};
use crate::violation::{Holds, Violation};

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Program {
    /// Loads the session.
    Read,
    /// Writes a key of its own.
    Write,
    /// Adds one to a counter, again on each conflict.
    Update,
    /// Writes the use down, and confirms the current verifier.
    Touch,
    /// Asks for a new verifier.
    Renew,
    /// Moves on to a new session that inherits the data.
    Login,
    /// Ends the session.
    Logout,
    /// Nobody's request: the deadlines pass.
    Expire,
    /// Nobody's request: space is freed.
    Sweep,
}

use Program::{Expire, Login, Logout, Read, Renew, Sweep, Touch, Update, Write};

/// All of them.
pub(super) const PROGRAMS: [Program; 9] = [
    Read, Write, Update, Touch, Renew, Login, Logout, Expire, Sweep,
];

impl Program {
    /// Runs as the request at this place of the schedule; each call waits for its turn.
    pub(super) async fn run(self, world: Arc<World>, turn: Arc<Turn>, place: usize) -> Holds {
        match self {
            Read => load(&world, &turn).await.map(drop),
            Write => write(&world, &turn, place).await,
            Update => update(&world, &turn).await,
            Touch => touch(&world, &turn).await,
            Renew => renew(&world, &turn).await,
            Login => login(&world, &turn).await,
            Logout => logout(&world, &turn).await,
            Expire => {
                turn.take().await;
                world.clock.advance(world.life);
                world.note(Event::Expired);
                Ok(())
            }
            Sweep => {
                turn.take().await;
                world.stage.store.sweep(world.now(), 1000).await?;
                Ok(())
            }
        }
    }
}

/// A session as a request holds it.
struct Held {
    record: Arc<Record>,
    verifier: Verifier,
    /// Whether the client presented the previous verifier.
    renewed: bool,
}

/// Looks the session up with what the client presents, as every request begins.
async fn load(world: &World, turn: &Turn) -> Result<Option<Held>, Violation> {
    turn.take().await;
    let (now, presented) = (world.now(), world.jar());
    let Loaded::Live(record) = world.stage.load(&world.sid, now).await? else {
        return Ok(None);
    };
    world.note(Event::Found);
    Ok(match record.verify(&presented, now) {
        Verdict::Current => Some(Held {
            record,
            verifier: presented,
            renewed: false,
        }),
        Verdict::Previous { successor } => {
            world.give(&successor);
            Some(Held {
                record,
                verifier: successor,
                renewed: true,
            })
        }
        Verdict::Reuse | Verdict::Wrong => None,
    })
}

/// One patch; whether it was applied, or what it met.
async fn apply(world: &World, turn: &Turn, patch: &Patch) -> Result<Applied, Violation> {
    turn.take().await;
    world.stage.apply(&world.sid, world.now(), patch).await
}

async fn write(world: &World, turn: &Turn, place: usize) -> Holds {
    let Some(held) = load(world, turn).await? else {
        return Ok(());
    };
    let key = format!("w{place}");
    let mut patch = Patch::new(held.record.version);
    patch.set(name(&key), Text::from_encoded("1"));
    match apply(world, turn, &patch).await? {
        Applied::Applied { .. } => world.note(Event::Wrote(key)),
        Applied::Conflict(_) => world.note(Event::Wrong("a plain write met a conflict")),
        Applied::Gone => {}
    }
    Ok(())
}

async fn update(world: &World, turn: &Turn) -> Holds {
    let Some(held) = load(world, turn).await? else {
        return Ok(());
    };
    let mut seen = held.record;
    // More often than three requests can change it.
    for _ in 0..6 {
        let stored = value(&seen, "n");
        let next = stored.and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
        match apply(world, turn, &swap("n", stored, &next.to_string())).await? {
            Applied::Applied { .. } => {
                world.note(Event::Updated);
                return Ok(());
            }
            Applied::Conflict(current) => seen = current,
            Applied::Gone => return Ok(()),
        }
    }
    world.note(Event::Wrong("an update met conflicts without end"));
    Ok(())
}

async fn touch(world: &World, turn: &Turn) -> Holds {
    let Some(held) = load(world, turn).await? else {
        return Ok(());
    };
    let mut patch = Patch::new(held.record.version);
    patch.touch(world.now());
    if !held.renewed {
        patch.confirm(world.now().after(GRACE));
    }
    if let Applied::Applied { .. } = apply(world, turn, &patch).await? {
        world.note(Event::Noted);
    }
    Ok(())
}

async fn renew(world: &World, turn: &Turn) -> Holds {
    let Some(held) = load(world, turn).await? else {
        return Ok(());
    };
    let previous = held.record.previous.as_ref();
    if previous.is_some_and(|previous| previous.is_honoured(world.now())) {
        return Ok(()); // coalesced with the one that was made a moment ago
    }
    let (old, new) = (held.verifier, Verifier::random());
    let mut patch = rotation(&world.sid, &old, &new);
    patch.set(name("renewed"), Text::from_encoded("1"));
    match apply(world, turn, &patch).await? {
        Applied::Applied { .. } => {
            world.note(Event::Rotated(old.hash()));
            world.give(&new);
        }
        // Another one was first: the successor is wrapped under what this one presented.
        Applied::Conflict(record) => match record.verify(&old, world.now()) {
            Verdict::Previous { successor } => world.give(&successor),
            _ => world.note(Event::Wrong(
                "a rotation that lost was not led to the successor",
            )),
        },
        Applied::Gone => {}
    }
    Ok(())
}

async fn login(world: &World, turn: &Turn) -> Holds {
    let Some(held) = load(world, turn).await? else {
        return Ok(());
    };
    turn.take().await;
    let now = world.now();
    let mut new = draft_at(now).of("ann");
    for (name, text) in held.record.data.iter() {
        new = new.holding(name.as_str(), text.as_str());
    }
    if world.stage.create(&new, None, now).await? != Created::Created {
        world.note(Event::Wrong("a login with a fresh id was not made"));
        return Ok(());
    }

    turn.take().await;
    let now = world.now();
    let last = world
        .stage
        .end(&world.sid, now, now.after(TOMBSTONE))
        .await?;
    world.note(Event::LoggedIn(new.sid()));
    world.note(Event::Ended(last.clone()));
    let Some(last) = last.filter(|last| last.version > held.record.version) else {
        return Ok(());
    };

    // Written after the view was taken: nothing acknowledged may be lost.
    let mut patch = Patch::new(1);
    patch.clear();
    for (name, text) in last.data.iter() {
        patch.set(name.clone(), text.clone());
    }
    turn.take().await;
    world.stage.apply(&new.sid(), world.now(), &patch).await?;
    Ok(())
}

async fn logout(world: &World, turn: &Turn) -> Holds {
    if load(world, turn).await?.is_none() {
        return Ok(());
    }
    turn.take().await;
    let now = world.now();
    let last = world
        .stage
        .end(&world.sid, now, now.after(TOMBSTONE))
        .await?;
    world.note(Event::Ended(last));
    Ok(())
}
