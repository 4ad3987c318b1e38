//! An end is final: it returns the last state once, leaves a tombstone, and nothing comes back.

use sessile_core::{Applied, Created, Loaded, Timestamp};

use crate::law::Ground;
use crate::stage::{
    DAY, HOUR, MILLI, MINUTE, NOW, SECOND, Stage, after, answered, draft, every_patch, set, told,
};
use crate::violation::{Holds, ensure};

pub(crate) async fn an_end_returns_the_last_state(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    stage.write(&session.sid(), NOW, &set("b", "2")).await?;
    let before = stage.live(&session.sid(), NOW).await?;
    let last = stage.end(&session.sid(), NOW, after(MINUTE)).await?;
    ensure!(
        last.is_some(),
        "the end of a live session returned no record"
    );
    ensure!(
        last == Some(before),
        "what an end returned is not the last state"
    );
    Ok(())
}

pub(crate) async fn a_second_end_returns_nothing(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for until in [MINUTE, MINUTE, HOUR, SECOND] {
        let last = stage.end(&session.sid(), NOW, after(until)).await?;
        ensure!(
            last.is_none() || until == MINUTE,
            "a later end returned a record"
        );
        let again = stage.end(&session.sid(), NOW, after(until)).await?;
        ensure!(again.is_none(), "a second end returned a record");
    }
    Ok(())
}

pub(crate) async fn an_ended_session_is_told_so_until_its_tombstone_goes(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    stage.end(&session.sid(), NOW, after(MINUTE)).await?;
    for now in [NOW, after(SECOND), after(MINUTE - MILLI)] {
        let loaded = stage.load(&session.sid(), now).await?;
        ensure!(
            matches!(loaded, Loaded::Ended),
            "an ended session is {}",
            told(&loaded)
        );
    }
    for now in [after(MINUTE), after(DAY)] {
        let loaded = stage.load(&session.sid(), now).await?;
        ensure!(
            !matches!(loaded, Loaded::Live(_)),
            "an ended session whose tombstone is past its time is live"
        );
    }
    Ok(())
}

pub(crate) async fn an_end_leaves_a_tombstone_in_place_of_nothing_too(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let late = draft().of("ann");
    let last = stage.end(&late.sid(), NOW, after(MINUTE)).await?;
    ensure!(last.is_none(), "the end of nothing returned a record");
    let created = stage.create(&late, None, NOW).await?;
    ensure!(
        created == Created::Taken,
        "a login that was revoked before it was made was answered {created:?}"
    );
    Ok(())
}

pub(crate) async fn a_tombstone_is_never_shortened(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for was_there in [true, false] {
        let session = draft();
        if was_there {
            stage.put(&session).await?;
        }
        stage.end(&session.sid(), NOW, after(MINUTE)).await?;
        if !stage.is_taken(&session.sid(), NOW).await? {
            continue; // that there is one is another law
        }
        for earlier in [after(SECOND), NOW, Timestamp::default()] {
            stage.end(&session.sid(), NOW, earlier).await?;
            ensure!(
                stage
                    .is_taken(&session.sid(), after(MINUTE - MILLI))
                    .await?,
                "after an end with an earlier time, a tombstone that had time left is gone"
            );
        }
    }
    Ok(())
}

pub(crate) async fn a_later_end_lengthens_a_tombstone(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    stage.end(&session.sid(), NOW, after(MINUTE)).await?;
    if !stage.is_taken(&session.sid(), NOW).await? {
        return Ok(()); // that there is one is another law
    }
    stage.end(&session.sid(), NOW, after(HOUR)).await?;
    ensure!(
        stage.is_taken(&session.sid(), after(HOUR - MILLI)).await?,
        "a tombstone that was lengthened is gone before its time"
    );
    Ok(())
}

pub(crate) async fn an_end_whose_time_is_past_ends_all_the_same(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for until in [NOW, Timestamp::default()] {
        let session = draft().of("ann");
        let sid = session.sid();
        stage.put(&session).await?;
        stage.end(&sid, NOW, until).await?;
        let applied = stage.apply(&sid, NOW, &set("a", "1")).await?;
        ensure!(
            matches!(applied, Applied::Gone),
            "a patch after an end whose tombstone had no time left was answered {}",
            answered(&applied)
        );
        ensure!(
            !stage.is_live(&sid, NOW).await?,
            "a session is live after its end, whose tombstone had no time left"
        );
    }
    Ok(())
}

pub(crate) async fn an_expired_session_that_ends_is_returned_and_ended(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().idle(SECOND).holding("a", "1");
    stage.put(&session).await?;
    let last = stage
        .end(&session.sid(), after(SECOND), after(MINUTE))
        .await?;
    ensure!(
        last == Some(session.record()),
        "the end of an expired session did not return it"
    );
    let loaded = stage.load(&session.sid(), after(SECOND)).await?;
    ensure!(
        !matches!(loaded, Loaded::Live(_) | Loaded::Expired),
        "an expired session that was ended is {}",
        told(&loaded)
    );
    Ok(())
}

pub(crate) async fn a_patch_for_an_ended_session_is_gone(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for subject in [None, Some("ann")] {
        let mut session = draft();
        if let Some(subject) = subject {
            session = session.of(subject);
        }
        stage.put(&session).await?;
        stage.end(&session.sid(), NOW, after(MINUTE)).await?;
        for now in [NOW, after(MINUTE - MILLI), after(MINUTE), after(HOUR)] {
            for (kind, patch) in every_patch(&session, now) {
                let applied = stage.apply(&session.sid(), now, &patch).await?;
                ensure!(
                    matches!(applied, Applied::Gone),
                    "{kind} for an ended session was answered {}",
                    answered(&applied)
                );
            }
            ensure!(
                !stage.is_live(&session.sid(), now).await?,
                "after patches that came late, an ended session is live"
            );
        }
    }
    Ok(())
}
