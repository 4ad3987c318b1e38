//! A sweep is about space and nothing else.

use crate::law::Ground;
use crate::stage::{DAY, HOUR, MILLI, MINUTE, NOW, Stage, after, draft, touch};
use crate::violation::{Holds, ensure};

pub(crate) async fn a_sweep_takes_nothing_that_is_live(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (idle, used) = (draft().of("ann").idle(HOUR), draft().idle(MINUTE));
    for session in [&idle, &used] {
        stage.put(session).await?;
    }
    let seen = after(MINUTE - MILLI);
    stage.write(&used.sid(), seen, &touch(seen)).await?;
    for now in [NOW, after(MINUTE), seen.after(MINUTE - MILLI)] {
        let was_live = stage.is_live(&used.sid(), now).await?;
        stage.store.sweep(now, 1000).await?;
        ensure!(
            stage.is_live(&used.sid(), now).await? == was_live,
            "a sweep took a live session"
        );
    }
    stage.store.sweep(after(HOUR - MILLI), 1000).await?;
    stage.live(&idle.sid(), after(HOUR - MILLI)).await?;
    let listed = stage.listed("ann", after(HOUR - MILLI)).await?;
    ensure!(
        listed == [idle.sid()],
        "after a sweep, a live session is not listed"
    );
    Ok(())
}

pub(crate) async fn a_sweep_takes_no_tombstone_before_its_time(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (session, expired) = (draft(), draft().idle(MINUTE));
    let last = after(DAY - MILLI);
    for session in [&session, &expired] {
        stage.put(session).await?;
        stage.end(&session.sid(), NOW, after(DAY)).await?;
        if !stage.is_taken(&session.sid(), NOW).await? {
            return Ok(()); // that there is a tombstone is another law
        }
    }
    for now in [NOW, after(HOUR), last] {
        stage.store.sweep(now, 1000).await?;
    }
    for session in [&session, &expired] {
        ensure!(
            stage.is_taken(&session.sid(), last).await?,
            "a sweep took a tombstone that has time left"
        );
    }
    Ok(())
}

pub(crate) async fn a_sweep_keeps_to_its_limit_and_comes_to_an_end(ground: Ground<'_>) -> Holds {
    const SESSIONS: usize = 40;
    const LIMIT: usize = 3;
    let stage = Stage::new(&ground).await;
    for at in 0..SESSIONS {
        let session = match at % 2 {
            0 => draft(),
            _ => draft().of("ann"),
        };
        stage.put(&session.idle(MINUTE)).await?;
        stage.end(&draft().sid(), NOW, after(MINUTE)).await?;
    }
    // Long past every margin.
    let (now, mut sum, mut last) = (after(DAY * 30), 0, LIMIT);
    let none = stage.store.sweep(now, 0).await?;
    ensure!(none == 0, "a sweep of at most 0 freed {none}");
    for _ in 0..=2 * SESSIONS {
        last = stage.store.sweep(now, LIMIT).await?;
        ensure!(last <= LIMIT, "a sweep of at most {LIMIT} freed {last}");
        sum += last;
        if last == 0 {
            break;
        }
    }
    ensure!(
        last == 0 && sum <= 2 * SESSIONS,
        "of {SESSIONS} sessions and as many tombstones, sweeps freed {sum} and more"
    );
    Ok(())
}

pub(crate) async fn the_count_is_that_of_the_live_sessions(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let sessions = [draft(), draft().of("ann"), draft().idle(MINUTE)];
    for session in &sessions {
        stage.put(session).await?;
    }
    let ended = draft();
    stage.put(&ended).await?;
    stage.end(&ended.sid(), NOW, after(HOUR)).await?;
    stage.end(&draft().sid(), NOW, after(HOUR)).await?;
    for (now, live) in [(NOW, 3), (after(MINUTE), 2), (after(DAY), 0)] {
        let count = stage.store.count(now).await?;
        ensure!(
            count.is_none_or(|count| count == live),
            "of {live} live sessions, {count:?} are counted"
        );
    }
    Ok(())
}
