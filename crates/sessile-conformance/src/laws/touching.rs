//! Notes of use move a deadline forward, and change nothing else; a lifetime is the session's own.

use sessile_core::Record;

use crate::law::Ground;
use crate::stage::{
    DAY, HOUR, MINUTE, NOW, SECOND, Stage, after, draft, lifetime, set, touch, value,
};
use crate::violation::{Holds, ensure};

pub(crate) async fn a_touch_moves_the_idle_deadline(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    let idle = session.record().idle();
    for by in [MINUTE, MINUTE * 20, MINUTE * 45] {
        let seen = after(by);
        stage.write(&session.sid(), seen, &touch(seen)).await?;
        let record = stage.live(&session.sid(), seen).await?;
        ensure!(
            record.last_seen == seen && record.idle_deadline == seen.after(idle),
            "a touch did not move the deadline to the idle time after the use"
        );
    }
    Ok(())
}

pub(crate) async fn a_touch_does_not_raise_the_version(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let seen = after(MINUTE * 5);
    let told = stage.write(&session.sid(), seen, &touch(seen)).await?;
    let kept = stage.live(&session.sid(), seen).await?.version;
    ensure!(
        told == 1 && kept == 1,
        "a touch of version 1 answered version {told} and left version {kept}"
    );
    Ok(())
}

pub(crate) async fn a_touch_changes_nothing_but_the_time_of_use(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    stage.write(&session.sid(), NOW, &set("b", "2")).await?;
    let before = stage.live(&session.sid(), NOW).await?;
    let seen = after(MINUTE * 5);
    stage.write(&session.sid(), seen, &touch(seen)).await?;
    let after = stage.live(&session.sid(), seen).await?;
    // Time and version have laws of their own.
    let rest = |record: &Record| {
        let mut rest = record.clone();
        rest.last_seen = NOW;
        rest.idle_deadline = NOW;
        rest.absolute_deadline = NOW;
        rest.version = 0;
        rest
    };
    ensure!(
        rest(&before) == rest(&after),
        "a touch changed more than the time of use"
    );
    Ok(())
}

pub(crate) async fn a_touch_never_moves_a_deadline_back(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let late = after(MINUTE * 10);
    stage.write(&session.sid(), late, &touch(late)).await?;
    let before = stage.live(&session.sid(), late).await?;
    for earlier in [after(MINUTE * 9), NOW] {
        // It was made earlier and comes later.
        stage.write(&session.sid(), late, &touch(earlier)).await?;
        let record = stage.live(&session.sid(), late).await?;
        ensure!(
            record.last_seen >= before.last_seen && record.idle_deadline >= before.idle_deadline,
            "a touch that came late moved the deadline back"
        );
    }
    Ok(())
}

pub(crate) async fn a_touch_never_moves_the_absolute_deadline(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().idle(HOUR * 2).absolute(HOUR);
    stage.put(&session).await?;
    for minutes in (5..60).step_by(5) {
        let seen = after(MINUTE * minutes);
        stage.write(&session.sid(), seen, &touch(seen)).await?;
        let record = stage.live(&session.sid(), seen).await?;
        ensure!(
            record.absolute_deadline == after(HOUR),
            "a touch moved the absolute deadline"
        );
    }
    Ok(())
}

pub(crate) async fn a_lifetime_of_its_own_survives_touches(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for idle in [MINUTE, HOUR * 5] {
        let session = draft();
        stage.put(&session).await?;
        stage
            .write(&session.sid(), NOW, &lifetime(idle, DAY * 2))
            .await?;
        let seen = after(SECOND * 30);
        stage.write(&session.sid(), seen, &touch(seen)).await?;
        let record = stage.live(&session.sid(), seen).await?;
        ensure!(
            record.idle() == idle,
            "after a touch, a session's own idle time of {idle:?} is {:?}",
            record.idle()
        );
    }
    Ok(())
}

pub(crate) async fn a_lifetime_counts_from_the_creation_and_from_now(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let now = after(MINUTE * 10);
    // Longer than before, and shorter than before.
    for (idle, absolute) in [(HOUR * 5, DAY * 2), (MINUTE, MINUTE * 15)] {
        stage
            .write(&session.sid(), now, &lifetime(idle, absolute))
            .await?;
        let record = stage.live(&session.sid(), now).await?;
        ensure!(
            record.absolute_deadline == after(absolute),
            "a lifetime's absolute part does not count from the creation"
        );
        ensure!(
            record.idle_deadline == now.after(idle),
            "a lifetime's idle part does not count from now"
        );
        ensure!(
            value(&record, "a") == Some("1"),
            "a lifetime changed the data"
        );
    }
    Ok(())
}
