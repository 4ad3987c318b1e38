//! How a patch goes wrong.

use std::sync::Arc;

use sessile_core::{
    Applied, Data, Error, ErrorKind, Name, Patch, Patched, Previous, Record, Result, SessionId,
    Text, Timestamp, VERSION_LIMIT, VerifierHash, Wrapped,
};

use super::parts::{Part, on_older, renamed, without};
use super::{BrokenStore, Flaw, fourteen_digits, others};
use crate::model::Slots;

pub(super) async fn apply(
    store: &BrokenStore,
    sid: &SessionId,
    now: Timestamp,
    patch: &Patch,
) -> Result<Applied> {
    match store.flaw {
        Flaw::ChecksThenWrites => {
            let seen = store.slots().record(sid);
            others().await;
            let Some(seen) = seen else {
                return Ok(Applied::Gone);
            };
            let next = patch.apply_to(&seen, now)?;
            return Ok(keep(&mut store.slots(), &seen, next, patch));
        }
        Flaw::WritesAPartFirst if patch.sets().len() > 1 && patch.expects().is_empty() => {
            let mut part = Patch::new(0);
            for (name, text) in &patch.sets()[..1] {
                part.set(name.clone(), text.clone());
            }
            store.slots().apply(sid, now, &part)?;
            others().await;
        }
        _ => {}
    }
    let mut slots = store.slots();
    let Some(record) = slots.record(sid) else {
        return Ok(without_record(store, &mut slots, sid, now, patch));
    };
    let applied = on_record(store, &mut slots, &record, now, patch)?;
    Ok(answer(store, &record, patch, applied))
}

/// Keeps what a patch made of a record, and says so.
fn keep(slots: &mut Slots, record: &Arc<Record>, patched: Patched, patch: &Patch) -> Applied {
    match patched {
        Patched::Applied(next) => {
            let next = Arc::new(next);
            slots.replace(next.clone());
            Applied::Applied {
                version: next.version,
                record: (record.version != patch.base()).then_some(next),
            }
        }
        Patched::Conflict => Applied::Conflict(record.clone()),
        Patched::Gone => Applied::Gone,
    }
}

/// Where there is none.
fn without_record(
    store: &BrokenStore,
    slots: &mut Slots,
    sid: &SessionId,
    now: Timestamp,
    patch: &Patch,
) -> Applied {
    let is_ended = slots.kept.contains_key(sid);
    let record = match store.flaw {
        Flaw::Upserts if !is_ended => {
            let mut record = Record::blank(*sid, VerifierHash::from_bytes([0; 32]));
            record.created_at = now;
            record.last_seen = now;
            record.idle_deadline = now.after(std::time::Duration::from_secs(1800));
            record.absolute_deadline = record.idle_deadline;
            record
        }
        Flaw::RevivesWhatEnded if is_ended => match store.newest(sid) {
            Some(record) => (*record).clone(),
            None => return Applied::Gone,
        },
        Flaw::WritesOnToTheNextSession => {
            // The one that was made last.
            let next = slots.newest();
            if let (true, Some(next)) = (is_ended, next)
                && let Ok(patched) = patch.apply_to(&next, now)
            {
                keep(slots, &next, patched, patch);
            }
            return Applied::Gone;
        }
        Flaw::SaysAppliedForGone => {
            return Applied::Applied {
                version: patch.base() + 1,
                record: None,
            };
        }
        _ => return Applied::Gone,
    };
    match without(patch, &[Part::Rotation, Part::Expectations]).apply_to(&record, now) {
        Ok(Patched::Applied(next)) => {
            let next = Arc::new(next);
            slots.insert(next.clone());
            Applied::Applied {
                version: next.version,
                record: Some(next),
            }
        }
        _ => Applied::Gone,
    }
}

/// Where there is one.
fn on_record(
    store: &BrokenStore,
    slots: &mut Slots,
    record: &Arc<Record>,
    now: Timestamp,
    patch: &Patch,
) -> Result<Applied> {
    let mut other = match store.flaw {
        Flaw::IgnoresExpectations => without(patch, &[Part::Expectations]),
        Flaw::IgnoresExpectationsAlone if !patch.is_write() => {
            without(patch, &[Part::Expectations])
        }
        Flaw::IgnoresTheBase => on_older(patch),
        Flaw::ClearsNothingUnseen => without(patch, &[Part::Clear]),
        Flaw::RemovesNothing => without(patch, &[Part::Removal]),
        Flaw::ClearsLast if patch.clears() => without(patch, &[Part::Set]),
        Flaw::RenewsWithoutTheData if patch.rotation().is_some() => without(patch, &[Part::Set]),
        Flaw::TrimsKeys => renamed(patch, trimmed, Clone::clone),
        Flaw::RoundsNumbers => renamed(patch, Clone::clone, rounded),
        Flaw::ComparesNumbers | Flaw::TakesNullForAbsence => {
            let met = |(name, stored): &(Name, Option<Text>)| {
                alike(store.flaw, record.data.get(name.as_str()), stored.as_ref())
            };
            match patch.expects().iter().all(met) {
                true => without(patch, &[Part::Expectations]),
                false => patch.clone(),
            }
        }
        _ => patch.clone(),
    };
    match store.flaw {
        Flaw::ClearsNothingUnseen if patch.clears() => {
            for (name, _) in store
                .as_of(&record.sid, patch.base())
                .iter()
                .flat_map(|seen| seen.data.iter())
            {
                if !patch.sets().iter().any(|(set, _)| set == name) {
                    other.remove(name.clone());
                }
            }
        }
        Flaw::ExpectsVersions
            if !patch.expects().is_empty() && ![0, record.version].contains(&patch.base()) =>
        {
            return Ok(Applied::Conflict(record.clone()));
        }
        Flaw::KeepsTheFirstValue if patch.expects().is_empty() && !patch.clears() => {
            other = without(&other, &[Part::Set]);
            for (name, text) in patch.sets() {
                let stays = record.data.get(name.as_str()).unwrap_or(text);
                other.set(name.clone(), stays.clone());
            }
        }
        Flaw::CutsLongPatches if patch.sets().len() > 100 => {
            other = without(&other, &[Part::Set]);
            for (name, text) in &patch.sets()[..100] {
                other.set(name.clone(), text.clone());
            }
        }
        _ => {}
    }

    let before = seen(store, record, now, patch);
    let patched = match other.apply_to(&before, now) {
        Err(error) if error.kind() == ErrorKind::TooLarge => {
            too_large(store, slots, &before, patch, error)?
        }
        Err(_) if store.flaw == Flaw::StaysAtTheLastVersion => {
            let (mut before, mut other) = (before.clone(), Patch::new(0));
            before.version = VERSION_LIMIT - 1;
            for (name, text) in patch.sets() {
                other.set(name.clone(), text.clone());
            }
            other.apply_to(&before, now)?
        }
        patched => patched?,
    };
    let patched = match patched {
        Patched::Applied(next) => Patched::Applied(changed(store, record, next, now, patch)?),
        other => other,
    };
    if let (Flaw::WritesInSpiteOfAConflict, Patched::Conflict) = (store.flaw, &patched) {
        let forced = on_older(&without(patch, &[Part::Expectations, Part::Rotation]));
        if let Patched::Applied(mut next) = forced.apply_to(record, now)? {
            next.version = record.version;
            slots.replace(next.into());
        }
    }
    Ok(keep(slots, record, patched, patch))
}

/// The record that the patch is applied to, as the flaw has it.
fn seen(store: &BrokenStore, record: &Arc<Record>, now: Timestamp, patch: &Patch) -> Record {
    let mut seen = (**record).clone();
    match store.flaw {
        // Last writer wins: what this writer loaded, with its changes.
        Flaw::WritesWholeRecords if patch.expects().is_empty() && patch.base() > 0 => {
            if let Some(loaded) = store.as_of(&record.sid, patch.base()) {
                seen.data = loaded.data.clone();
            }
        }
        Flaw::ForgetsTheAbsoluteDeadline => seen.absolute_deadline = Timestamp::MAX,
        Flaw::ForgetsTheIdleDeadline => seen.idle_deadline = Timestamp::MAX,
        Flaw::ReplacesAnyVerifier => {
            if let Some(rotation) = patch.rotation() {
                seen.hash = rotation.expect;
            }
        }
        Flaw::PatchesWhatExpired if !record.is_live(now) => {
            seen.idle_deadline = seen
                .idle_deadline
                .max(now.after(std::time::Duration::from_secs(60)));
        }
        _ => {}
    }
    seen
}

/// What is too large, as the flaw has it.
fn too_large(
    store: &BrokenStore,
    slots: &mut Slots,
    record: &Record,
    patch: &Patch,
    error: Error,
) -> Result<Patched> {
    let mut next = record.clone();
    let mut entries: Vec<_> = next
        .data
        .iter()
        .map(|(name, text)| (name.clone(), text.clone()))
        .collect();
    match store.flaw {
        Flaw::HasNoLimit => {
            entries.extend(patch.sets().iter().cloned());
            next.version += 1;
        }
        Flaw::WritesWhatStillFits => {
            entries.extend(
                patch
                    .sets()
                    .iter()
                    .filter(|(_, text)| text.as_str().len() < 100)
                    .cloned(),
            );
        }
        _ => return Err(error),
    }
    next.data = entries.into_iter().collect();
    if store.flaw == Flaw::HasNoLimit {
        return Ok(Patched::Applied(next));
    }
    slots.replace(next.into());
    Err(error)
}

/// The record that is kept, as the flaw has it.
fn changed(
    store: &BrokenStore,
    record: &Record,
    mut next: Record,
    now: Timestamp,
    patch: &Patch,
) -> Result<Record> {
    let notes = !patch.is_write();
    match store.flaw {
        Flaw::ForgetsTheAbsoluteDeadline if patch.new_lifetime().is_none() => {
            next.absolute_deadline = record.absolute_deadline;
        }
        Flaw::ForgetsTheIdleDeadline
            if patch.touched().is_none() && patch.new_lifetime().is_none() =>
        {
            next.idle_deadline = record.idle_deadline;
        }
        Flaw::ForgetsTheIdleDeadline if patch.new_lifetime().is_none() => {
            next.idle_deadline = next.last_seen.after(record.idle());
        }
        Flaw::ReplacesAnyVerifier if patch.rotation().is_none() => next.hash = record.hash,
        Flaw::RaisesTheVersionByATouch if notes && patch.touched().is_some() => next.version += 1,
        Flaw::KeepsTheVersionOfARemoval if !patch.removes().is_empty() => {
            next.version = record.version
        }
        Flaw::TouchesBackwards => {
            if let Some(seen) = patch.touched() {
                next.last_seen = seen;
                next.idle_deadline = seen.after(record.idle());
            }
        }
        Flaw::TouchesWithTheDefault if patch.touched().is_some() => {
            next.idle_deadline = next
                .last_seen
                .after(sessile_core::Lifetime::default().idle());
        }
        Flaw::TouchesTheAbsoluteDeadline if patch.touched().is_some() => {
            let life = record.absolute_deadline.since(record.created_at);
            next.absolute_deadline = next.last_seen.after(life);
        }
        Flaw::TouchesNothing if notes => {
            next.last_seen = record.last_seen;
            next.idle_deadline = record.idle_deadline;
        }
        Flaw::RewritesTheDataByATouch if notes && patch.touched().is_some() => {
            next.data = store
                .as_of(&record.sid, 1)
                .map_or(Data::new(), |first| first.data.clone());
        }
        Flaw::CountsLifetimesFromNow => {
            if let Some(lifetime) = patch.new_lifetime() {
                next.absolute_deadline = now.after(lifetime.absolute());
            }
        }
        Flaw::ForgetsThePreviousVerifier => next.previous = None,
        Flaw::WrapsNothing if patch.rotation().is_some() => {
            if let Some(previous) = &mut next.previous {
                previous.wrapped = Wrapped::from_bytes([0; 16]);
            }
        }
        Flaw::ConfirmsAgain => {
            if let (Some(until), Some(previous)) = (patch.confirmed(), &mut next.previous) {
                previous.until = Some(until);
            }
        }
        Flaw::KeepsTheVersionOfARotation if patch.rotation().is_some() => {
            next.version = record.version;
        }
        Flaw::MakesAPreviousVerifierUp if next.previous.is_none() => {
            let made_up = |until| Previous {
                hash: record.hash,
                wrapped: Wrapped::from_bytes([0; 16]),
                until: Some(until),
            };
            next.previous = patch.confirmed().map(|until| Box::new(made_up(until)));
        }
        Flaw::GoesOnFromTheRecord if patch.is_write() => next.version = record.version + 1,
        Flaw::RoundsVersions => next.version = fourteen_digits(next.version),
        Flaw::RefusesTheLimitItself if next.data.bytes() >= sessile_core::RECORD_LIMIT => {
            return Err(Error::new(ErrorKind::TooLarge, "as large as the limit"));
        }
        Flaw::NeverShrinks => next.data.check_limit()?,
        _ => {}
    }
    Ok(next)
}

/// The answer, as the flaw has it.
fn answer(store: &BrokenStore, before: &Arc<Record>, patch: &Patch, applied: Applied) -> Applied {
    match (store.flaw, applied) {
        (Flaw::SaysAppliedForConflict, Applied::Conflict(record)) => Applied::Applied {
            version: record.version + 1,
            record: Some(record),
        },
        (Flaw::SaysAppliedForGone, Applied::Gone) => Applied::Applied {
            version: before.version + 1,
            record: None,
        },
        (Flaw::BringsAnOldRecord, Applied::Conflict(record)) => {
            Applied::Conflict(store.as_of(&record.sid, patch.base()).unwrap_or(record))
        }
        (Flaw::LeavesTheRecordOut, Applied::Applied { version, .. }) => Applied::Applied {
            version,
            record: None,
        },
        (_, applied) => applied,
    }
}

fn trimmed(name: &Name) -> Name {
    Name::new(name.as_str().trim()).unwrap_or_else(|_| name.clone())
}

/// As a column of doubles would have it, but for counters.
fn rounded(text: &Text) -> Text {
    let is_small = |number: u64| number < 1 << 53;
    match (text.decode::<u64>(), text.decode::<f64>()) {
        (Ok(number), _) if is_small(number) => text.clone(),
        (_, Ok(number)) => Text::encode(&number).unwrap_or_else(|_| text.clone()),
        _ => text.clone(),
    }
}

fn alike(flaw: Flaw, stored: Option<&Text>, expected: Option<&Text>) -> bool {
    let is_null = |text: Option<&Text>| text.is_none_or(|text| text.as_str() == "null");
    if flaw == Flaw::TakesNullForAbsence && is_null(stored) && is_null(expected) {
        return true;
    }
    let number = |text: Option<&Text>| text.and_then(|text| text.decode::<f64>().ok());
    if flaw == Flaw::ComparesNumbers
        && let (Some(stored), Some(expected)) = (number(stored), number(expected))
    {
        return stored == expected;
    }
    stored == expected
}
