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
    let session = draft().idle(MINUTE).absolute(MINUTE);
    stage.put(&session).await?;
    let loaded = stage.load(&session.sid(), after(MINUTE + SECOND)).await?;
    ensure!(
        matches!(loaded, Loaded::Expired),
        "a session past its deadline is {}",
        told(&loaded)
    );
    Ok(())
}

pub(crate) async fn no_patch_is_applied_at_a_deadline(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for life in LIVES {
        let deadlines = [draft().idle(life), draft().idle(DAY).absolute(life)];
        for (session, which) in deadlines.iter().zip(["idle", "absolute"]) {
            stage.put(session).await?;
            let (sid, patch) = (session.sid(), set("a", "1"));
            stage.write(&sid, after(life - MILLI), &patch).await?;
            let applied = stage.apply(&sid, after(life), &patch).await?;
            ensure!(
                matches!(applied, Applied::Gone),
                "at its {which} deadline, {life:?} after it was made, a patch was answered {}",
                answered(&applied)
            );
        }
    }
    Ok(())
}

pub(crate) async fn a_patch_for_an_expired_session_is_gone(ground: Ground<'_>) -> Holds {
    for now in [after(MINUTE * 2), after(HOUR), after(DAY * 10)] {
        let stage = Stage::new(&ground).await;
        let session = draft().idle(MINUTE).absolute(MINUTE).of("ann");
        stage.put(&session).await?;
        for (kind, patch) in every_patch(&session, now) {
            let applied = stage.apply(&session.sid(), now, &patch).await?;
            ensure!(
                matches!(applied, Applied::Gone),
                "{kind} for an expired session was answered {}",
                answered(&applied)
            );
        }
        ensure!(
            !stage.is_live(&session.sid(), now).await?,
            "after patches that came late, an expired session is live"
        );
    }
    Ok(())
}

pub(crate) async fn time_is_what_the_caller_says(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let years = [978_307_200_000, 4_102_444_800_000]; // 2001 and 2100
    for now in years.map(Timestamp::from_millis) {
        let session = draft_at(now).idle(MINUTE).absolute(MINUTE);
        stage.put(&session).await?;
        let late = now.after(MINUTE - MILLI);
        stage.live(&session.sid(), late).await?;
        stage.write(&session.sid(), late, &set("a", "1")).await?;
        let later = now.after(MINUTE * 2);
        ensure!(
            !stage.is_live(&session.sid(), later).await?,
            "a session past its deadline is live"
        );
        let ended = draft_at(later);
        stage.put(&ended).await?;
        stage.end(&ended.sid(), later, later.after(MINUTE)).await?;
        ensure!(
            stage.is_taken(&ended.sid(), later.after(SECOND)).await?,
            "a tombstone that has time left is gone"
        );
    }
    Ok(())
}

pub(crate) async fn a_clock_that_goes_back_loses_nothing(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    // Somebody's clock is far ahead, and looks.
    stage.load(&session.sid(), after(DAY)).await?;
    for back in [NOW, Timestamp::from_millis(1)] {
        stage.write(&session.sid(), back, &set("b", "2")).await?;
        let record = stage.live(&session.sid(), back).await?;
        ensure!(
            record.last_seen == NOW && record.data.len() == 2,
            "a write at an earlier time changed more than the data"
        );
        ensure!(
            stage.listed("ann", back).await? == [session.sid()],
            "a live session is not listed at an earlier time"
        );
    }
    Ok(())
}
