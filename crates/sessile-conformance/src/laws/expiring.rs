//! Deadlines are exact, by the time that the caller says, and no sweep is needed for them.

use std::time::Duration;

use sessile_core::{Applied, Loaded, Timestamp};

use crate::law::Ground;
use crate::stage::{
    DAY, Draft, HOUR, MILLI, MINUTE, NOW, SECOND, Stage, after, answered, draft, draft_at,
    every_patch, set, told,
};
use crate::violation::{Holds, ensure};

/// Short ones, long ones, and some that no round number divides.
const LIVES: [Duration; 5] = [
    MILLI,
    Duration::from_millis(4095),
    Duration::from_millis(4097),
    MINUTE,
    HOUR,
];

pub(crate) async fn the_idle_deadline_is_exact(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for life in LIVES {
        is_exact(&stage, draft().idle(life), life).await?;
    }
    Ok(())
}

pub(crate) async fn the_absolute_deadline_is_exact(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for life in LIVES {
        is_exact(&stage, draft().idle(DAY).absolute(life), life).await?;
    }
    Ok(())
}

async fn is_exact(stage: &Stage, session: Draft, life: Duration) -> Holds {
    stage.put(&session).await?;
    stage.live(&session.sid(), after(life - MILLI)).await?;
    let loaded = stage.load(&session.sid(), after(life)).await?;
    ensure!(
        !matches!(loaded, Loaded::Live(_)),
        "{life:?} after it was made, when its deadline had come, a session was live"
    );
    Ok(())
}

pub(crate) async fn a_session_past_a_deadline_is_told_to_be_expired(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().idle(MINUTE);
    stage.put(&session).await?;
    let loaded = stage.load(&session.sid(), after(MINUTE)).await?;
    ensure!(
        matches!(loaded, Loaded::Expired),
        "a session past its deadline is {}",
        told(&loaded)
    );
    Ok(())
}

pub(crate) async fn a_patch_for_an_expired_session_is_gone(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for now in [after(MINUTE), after(HOUR), after(DAY * 10)] {
        let session = draft().idle(MINUTE).of("ann");
        stage.put(&session).await?;
        stage
            .write(&session.sid(), after(MINUTE - MILLI), &set("a", "1"))
            .await?;
        for (kind, patch) in every_patch(&session, now) {
            let applied = stage.apply(&session.sid(), now, &patch).await?;
            ensure!(
                matches!(applied, Applied::Gone),
                "{kind} for an expired session was answered {}",
                answered(&applied)
            );
        }
        let loaded = stage.load(&session.sid(), now).await?;
        ensure!(
            matches!(loaded, Loaded::Expired | Loaded::Absent),
            "after patches that came late, an expired session is {}",
            told(&loaded)
        );
    }
    Ok(())
}

pub(crate) async fn time_is_what_the_caller_says(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let years = [978_307_200_000, 4_102_444_800_000]; // 2001 and 2100
    for now in years.map(Timestamp::from_millis) {
        let session = draft_at(now).idle(MINUTE);
        stage.put(&session).await?;
        let late = now.after(MINUTE - MILLI);
        stage.live(&session.sid(), late).await?;
        stage.write(&session.sid(), late, &set("a", "1")).await?;
        let loaded = stage.load(&session.sid(), now.after(MINUTE)).await?;
        ensure!(
            matches!(loaded, Loaded::Expired),
            "a session past its deadline is {}",
            told(&loaded)
        );
        let ended = draft_at(now);
        let until = now.after(MINUTE);
        stage.end(&ended.sid(), now, until).await?;
        let loaded = stage.load(&ended.sid(), now.after(SECOND)).await?;
        ensure!(
            matches!(loaded, Loaded::Ended),
            "a tombstone that has time left is {}",
            told(&loaded)
        );
    }
    Ok(())
}

pub(crate) async fn a_clock_that_goes_back_loses_nothing(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    for back in [after(SECOND), NOW, Timestamp::from_millis(1)] {
        stage.write(&session.sid(), back, &set("b", "2")).await?;
        let before = stage.live(&session.sid(), back).await?;
        ensure!(
            before.last_seen == NOW && before.data.len() == 2,
            "a write at an earlier time changed more than the data"
        );
        ensure!(
            stage.listed("ann", back).await? == [session.sid()],
            "a live session is not listed at an earlier time"
        );
    }
    Ok(())
}
