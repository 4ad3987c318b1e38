//! A store next to the reference: random patches on random records.

use std::sync::Arc;

use sessile_core::{Applied, ErrorKind, Loaded, Patch, Patched, Record, Timestamp};

use crate::Depth;
use crate::law::Ground;
use crate::sample::Random;
use crate::stage::{NOW, Stage, answered, told};
use crate::violation::{Holds, Violation, ensure};

/// On how many records.
fn records(depth: Depth) -> u64 {
    match depth {
        Depth::Quick | Depth::Standard => 300,
        Depth::Full => 3000,
    }
}

/// How often each of the possible answers was met.
#[derive(Debug, Default)]
struct Met {
    applied: u64,
    conflicts: u64,
    gone: u64,
    too_large: u64,
}

pub(crate) async fn random_patches_do_what_the_reference_does(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (mut random, mut met) = (Random::new(7), Met::default());
    let records = records(ground.depth);
    // It only goes on: a store may free what has expired by what it was told.
    let mut now = NOW;
    for round in 0..records {
        let case = |violation: Violation| violation.of(format!("record {round}"));
        let mut record = random.record(now);
        let created = stage.store.create(Arc::new(record.clone()), None, now);
        created.await.map_err(Violation::from).map_err(case)?;
        for _ in 0..3 {
            now = random.later(now);
            let patch = random.patch(&record, now);
            record = compare(&stage, record, &patch, now, &mut met)
                .await
                .map_err(|violation| case(violation.of(format!("{patch:?} at {now:?}"))))?;
            same(&stage, &record, now).await.map_err(case)?;
        }
        if random.once_in(2) {
            let (patch, until) = (random.patch(&record, now), random.near(now));
            end(&stage, &record, &patch, now, until)
                .await
                .map_err(case)?;
        }
    }
    // Too few of a kind would be no law about it.
    for count in [met.applied, met.conflicts, met.gone, met.too_large] {
        ensure!(count > records / 60, "the sample is poor: {met:?}");
    }
    Ok(())
}

/// Applies the patch in the store and by the reference. Answers the record as it has to be then.
async fn compare(
    stage: &Stage,
    record: Record,
    patch: &Patch,
    now: Timestamp,
    met: &mut Met,
) -> Result<Record, Violation> {
    let answer = stage.store.apply(&record.sid, now, patch).await;
    let expected = patch.apply_to(&record, now);
    match (expected, answer) {
        (
            Ok(Patched::Applied(next)),
            Ok(Applied::Applied {
                version,
                record: answer,
            }),
        ) => {
            met.applied += 1;
            ensure!(
                version == next.version,
                "version {version} where the reference makes {}",
                next.version
            );
            ensure!(
                answer.is_some() || record.version == patch.base(),
                "no record was answered to one who can't know it"
            );
            ensure!(
                answer.is_none_or(|answer| *answer == next),
                "the record that was answered is not the reference's"
            );
            Ok(next)
        }
        (Ok(Patched::Conflict), Ok(Applied::Conflict(answer))) => {
            met.conflicts += 1;
            ensure!(*answer == record, "a conflict brought another record");
            Ok(record)
        }
        (Ok(Patched::Gone), Ok(Applied::Gone)) => {
            met.gone += 1;
            Ok(record)
        }
        (Err(expected), Err(error)) if error.kind() == expected.kind() => {
            met.too_large += u64::from(error.kind() == ErrorKind::TooLarge);
            Ok(record)
        }
        (Err(expected), Ok(answer)) => Err(Violation::new(format!(
            "{} where the reference fails: {expected}",
            answered(&answer)
        ))),
        (_, Err(error)) => Err(error.into()),
        (Ok(expected), Ok(answer)) => {
            let expected = match expected {
                Patched::Applied(_) => "applied",
                Patched::Conflict => "conflict",
                Patched::Gone => "gone",
            };
            let answer = answered(&answer);
            Err(Violation::new(format!(
                "{answer} where the reference says {expected}"
            )))
        }
    }
}

/// What is kept is this record, or nothing any more if it has expired.
async fn same(stage: &Stage, record: &Record, now: Timestamp) -> Holds {
    match stage.load(&record.sid, now).await? {
        Loaded::Live(kept) if record.is_live(now) => {
            ensure!(*kept == *record, "what is kept is not the reference's");
        }
        Loaded::Expired | Loaded::Absent if !record.is_live(now) => {}
        other => {
            return Err(Violation::new(format!("it was found {}", told(&other))));
        }
    }
    Ok(())
}

/// The end returns this record, and nothing comes after it.
async fn end(
    stage: &Stage,
    record: &Record,
    patch: &Patch,
    now: Timestamp,
    until: Timestamp,
) -> Holds {
    let last = stage.end(&record.sid, now, until).await?;
    ensure!(
        last.map_or(!record.is_live(now), |last| *last == *record),
        "the last state is not the reference's"
    );
    let applied = stage.apply(&record.sid, now, patch).await?;
    ensure!(
        matches!(applied, Applied::Gone),
        "a patch after the end was answered {}",
        answered(&applied)
    );
    let found = stage.load(&record.sid, now).await?;
    ensure!(
        matches!(found, Loaded::Ended) == (now < until),
        "after the end it was found {}",
        told(&found)
    );
    Ok(())
}
