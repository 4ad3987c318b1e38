//! Many at once on one session: nothing is lost, and nothing is done twice.

use std::sync::Arc;

use sessile_core::{Applied, Created, Record, Text, Verifier};
use tokio::task::JoinSet;

use crate::Depth;
use crate::law::Ground;
use crate::stage::{Draft, MINUTE, NOW, Stage, after, draft, set, swap, value};
use crate::violation::{Holds, Violation, ensure};

/// How many work at once.
const TASKS: u64 = 8;

/// How often each does.
fn times(depth: Depth) -> u64 {
    match depth {
        Depth::Quick | Depth::Standard => 12,
        Depth::Full => 100,
    }
}

/// Runs `work` of each task at the same time, and answers what they came to.
async fn at_once<T, F>(
    stage: &Stage,
    session: &Draft,
    work: impl Fn(Stage, Draft, u64) -> F,
) -> Result<Vec<T>, Violation>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Violation>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(work(stage.clone(), session.clone(), task));
    }
    let mut results = Vec::new();
    while let Some(task) = tasks.join_next().await {
        results.push(task.map_err(|_| Violation::new("the store panicked"))??);
    }
    Ok(results)
}

pub(crate) async fn parallel_writes_of_different_keys_all_survive(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let times = times(ground.depth);
    let session = draft();
    stage.put(&session).await?;
    at_once(&stage, &session, move |stage, session, task| async move {
        for time in 1..=times {
            let patch = set(&format!("k{task}"), &time.to_string());
            stage.write(&session.sid(), NOW, &patch).await?;
        }
        Ok(())
    })
    .await?;
    let record = stage.live(&session.sid(), NOW).await?;
    for task in 0..TASKS {
        ensure!(
            value(&record, &format!("k{task}")) == Some(&times.to_string()),
            "an acknowledged write was undone by one of another key"
        );
    }
    ensure!(
        record.version == 1 + TASKS * times,
        "{} writes of version 1 made version {}",
        TASKS * times,
        record.version
    );
    Ok(())
}

pub(crate) async fn parallel_updates_are_exact(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let times = times(ground.depth);
    let session = draft();
    stage.put(&session).await?;
    at_once(&stage, &session, move |stage, session, _| async move {
        let mut seen = session.record();
        for _ in 0..times {
            seen = increment(&stage, seen, TASKS * times).await?;
        }
        Ok(())
    })
    .await?;
    let record = stage.live(&session.sid(), NOW).await?;
    let sum = number(&record);
    ensure!(
        sum == TASKS * times,
        "of {} acknowledged increments, {sum} are there",
        TASKS * times
    );
    Ok(())
}

/// Adds one to a counter, on whatever it holds, and answers the record as known then.
async fn increment(
    stage: &Stage,
    mut seen: Arc<Record>,
    others: u64,
) -> Result<Arc<Record>, Violation> {
    // Each conflict is somebody else's increment.
    for _ in 0..=others {
        let next = (number(&seen) + 1).to_string();
        let patch = swap("n", value(&seen, "n"), &next);
        match stage.apply(&seen.sid, NOW, &patch).await? {
            Applied::Applied { record, .. } => {
                // Base 0 is no version: the record comes back.
                return record
                    .ok_or_else(|| Violation::new("a patch from base 0 answered no record"));
            }
            Applied::Conflict(current) => {
                ensure!(
                    value(&current, "n") != value(&seen, "n"),
                    "a conflict brought the very value that was expected"
                );
                seen = current;
            }
            Applied::Gone => return Err(Violation::new("a session that nobody ended is gone")),
        }
    }
    Err(Violation::new(
        "an update conflicts more often than there are others",
    ))
}

fn number(record: &Record) -> u64 {
    record
        .data
        .get("n")
        .and_then(|text| Text::decode(text).ok())
        .unwrap_or(0)
}

pub(crate) async fn of_parallel_rotations_exactly_one_wins(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let answers = at_once(&stage, &session, |stage, session, _| async move {
        let new = Verifier::random();
        let applied = stage
            .apply(&session.sid(), NOW, &session.rotation(&new))
            .await?;
        Ok(matches!(applied, Applied::Applied { .. }).then_some(new))
    })
    .await?;
    let winners: Vec<Verifier> = answers.into_iter().flatten().collect();
    ensure!(
        winners.len() == 1,
        "{} of {TASKS} parallel rotations from one verifier were acknowledged",
        winners.len()
    );
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.hash == winners[0].hash(),
        "the verifier is not that of the rotation that was acknowledged"
    );
    Ok(())
}

pub(crate) async fn of_parallel_creates_of_one_id_exactly_one_wins(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    let answers = at_once(&stage, &session, |stage, session, task| async move {
        let text = task.to_string();
        let created = stage
            .create(&session.holding("by", &text), None, NOW)
            .await?;
        Ok((created == Created::Created).then_some(text))
    })
    .await?;
    let winners: Vec<String> = answers.into_iter().flatten().collect();
    ensure!(
        winners.len() == 1,
        "{} of {TASKS} parallel creates of one id were acknowledged",
        winners.len()
    );
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "by") == Some(&winners[0]),
        "the record is not that of the create that was acknowledged"
    );
    Ok(())
}

pub(crate) async fn of_parallel_ends_exactly_one_gets_the_last_state(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let answers = at_once(&stage, &session, |stage, session, _| async move {
        stage.end(&session.sid(), NOW, after(MINUTE)).await
    })
    .await?;
    let got = answers.into_iter().flatten().count();
    ensure!(
        got == 1,
        "{got} of {TASKS} parallel ends got the last state"
    );
    Ok(())
}

pub(crate) async fn what_is_acknowledged_while_a_session_ends_is_in_its_last_state(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    for _ in 0..times(ground.depth) {
        let session = draft();
        stage.put(&session).await?;
        let answers = at_once(&stage, &session, |stage, session, task| async move {
            if task == TASKS / 2 {
                let last = stage.end(&session.sid(), NOW, after(MINUTE)).await?;
                return Ok((task, false, last));
            }
            let patch = set(&format!("k{task}"), "1");
            let applied = stage.apply(&session.sid(), NOW, &patch).await?;
            Ok((task, matches!(applied, Applied::Applied { .. }), None))
        })
        .await?;
        let Some(last) = answers.iter().find_map(|(_, _, last)| last.clone()) else {
            return Err(Violation::new(
                "the end of a live session returned no record",
            ));
        };
        for (task, acknowledged, _) in answers {
            let kept = value(&last, &format!("k{task}")).is_some();
            ensure!(
                kept || !acknowledged,
                "an acknowledged write is not in the last state"
            );
        }
    }
    Ok(())
}
