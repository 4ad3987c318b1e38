//! A create keeps what it is given, once; an id that nobody made opens nothing.

use std::sync::Arc;

use sessile_core::{
    Applied, Created, Loaded, OnFull, Previous, SessionId, SubjectCap, Timestamp, Verifier,
};

use crate::law::Ground;
use crate::stage::{
    DAY, HOUR, MINUTE, NOW, SECOND, Stage, after, answered, draft, every_patch, set, told, value,
};
use crate::violation::{Holds, ensure};

pub(crate) async fn a_new_record_is_kept_as_it_is(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let plain = draft();
    let full = draft()
        .of("ann")
        .idle(HOUR)
        .absolute(DAY)
        .holding("a", "1")
        .holding("b", "\"two\"");
    // As a session that is moved from elsewhere would come.
    let mut moved = (*full.record()).clone();
    moved.sid = SessionId::random();
    moved.version = 7;
    moved.last_seen = after(SECOND);
    moved.idle_deadline = after(SECOND + HOUR);
    for until in [None, Some(after(MINUTE))] {
        let record = match until {
            None => plain.record(),
            Some(_) => full.record(),
        };
        let mut with_previous = moved.clone();
        with_previous.sid = SessionId::random();
        let (old, new) = (Verifier::from_bytes([3; 16]), Verifier::from_bytes([4; 16]));
        with_previous.previous = Some(Box::new(Previous {
            hash: old.hash(),
            wrapped: old.wrap(&with_previous.sid, &new),
            until,
        }));
        for record in [record, with_previous.into()] {
            let created = stage.store.create(record.clone(), None, NOW).await?;
            ensure!(
                created == Created::Created,
                "a fresh id was answered {created:?}"
            );
            let kept = stage.live(&record.sid, NOW).await?;
            ensure!(
                kept == record,
                "what is loaded is not the record that was created"
            );
        }
    }
    Ok(())
}

pub(crate) async fn times_are_exact_up_to_their_limit(ground: Ground<'_>) -> Holds {
    const LAST: u64 = Timestamp::MAX.as_millis();
    let stage = Stage::new(&ground).await;
    for millis in [100_000_000_000_001, LAST - 1, LAST] {
        let mut record = (*draft().record()).clone();
        record.idle_deadline = Timestamp::from_millis(millis);
        record.absolute_deadline = Timestamp::from_millis(millis);
        let (sid, record) = (record.sid, Arc::new(record));
        stage.store.create(record.clone(), None, NOW).await?;
        ensure!(
            stage.live(&sid, NOW).await? == record,
            "a deadline at {millis} ms did not come back"
        );
        let last = Timestamp::from_millis(millis - 1);
        ensure!(
            stage.is_live(&sid, last).await?,
            "one millisecond before {millis} ms, its deadline, a session is not live"
        );
    }
    Ok(())
}

pub(crate) async fn an_id_that_is_taken_keeps_its_first_record(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let first = draft().of("ann");
    stage.put(&first).await?;
    stage.write(&first.sid(), NOW, &set("a", "1")).await?;
    let before = stage.live(&first.sid(), NOW).await?;
    for second in [draft(), draft().of("bob").holding("b", "2")] {
        let second = second.with_sid(first.sid());
        let created = stage.create(&second, None, NOW).await?;
        ensure!(
            created == Created::Taken,
            "an id that is taken was answered {created:?}"
        );
    }
    let now = stage.live(&first.sid(), NOW).await?;
    ensure!(now == before, "the first record was changed");
    let listed = stage.list("bob", NOW).await?.into_iter();
    let mut records = listed.filter_map(|candidate| candidate.record);
    ensure!(
        !records.any(|record| record.subject.as_deref() == Some("bob")),
        "the subject of a create that was refused has a session"
    );
    Ok(())
}

pub(crate) async fn nothing_is_created_over_a_tombstone(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for subject in [None, Some("ann")] {
        let mut session = draft();
        if let Some(subject) = subject {
            session = session.of(subject);
        }
        stage.put(&session).await?;
        stage.end(&session.sid(), NOW, after(MINUTE)).await?;
        for now in [NOW, after(SECOND), after(MINUTE - SECOND)] {
            let created = stage.create(&session, None, now).await?;
            ensure!(
                created == Created::Taken,
                "a create over a tombstone was answered {created:?}"
            );
            ensure!(
                !stage.is_live(&session.sid(), now).await?,
                "after a create that was refused, an ended session is live"
            );
        }
    }
    Ok(())
}

pub(crate) async fn a_create_that_finds_its_id_taken_ends_nobody(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let cap = Some(SubjectCap {
        max: std::num::NonZeroU32::MIN,
        on_full: OnFull::EvictOldest,
    });
    let first = draft().of("ann");
    stage.create(&first, cap, NOW).await?;
    let revoked = draft().of("ann");
    stage.end(&revoked.sid(), NOW, after(MINUTE)).await?;
    // Sent twice, and revoked before it was made.
    for late in [&first, &revoked] {
        if stage.create(late, cap, NOW).await? != Created::Taken {
            return Ok(()); // which other laws forbid
        }
        ensure!(
            stage.is_live(&first.sid(), NOW).await?,
            "a session was ended to make room for one that was not made"
        );
    }
    Ok(())
}

pub(crate) async fn an_id_that_nobody_made_is_absent_and_not_adopted(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let stranger = draft();
    for _ in 0..2 {
        let loaded = stage.load(&stranger.sid(), NOW).await?;
        ensure!(
            matches!(loaded, Loaded::Absent),
            "an id that nobody made is {}",
            told(&loaded)
        );
    }
    // It is as free as before.
    stage.put(&stranger).await
}

pub(crate) async fn a_patch_never_creates(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let stranger = draft();
    for (kind, patch) in every_patch(&stranger, NOW) {
        let applied = stage.apply(&stranger.sid(), NOW, &patch).await?;
        ensure!(
            matches!(applied, Applied::Gone),
            "{kind} for nothing was answered {}",
            answered(&applied)
        );
    }
    let loaded = stage.load(&stranger.sid(), NOW).await?;
    ensure!(
        matches!(loaded, Loaded::Absent),
        "after patches for it, an id that nobody made is {}",
        told(&loaded)
    );
    Ok(())
}

/// The control of the laws of what refuses patches: there, each of these has to be refused.
pub(crate) async fn a_live_session_takes_every_patch(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for (kind, patch) in every_patch(&session, NOW) {
        let taken = stage.write(&session.sid(), NOW, &patch).await;
        taken.map_err(|violation| violation.of(kind))?;
    }
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "a").is_none() && record.previous.is_some(),
        "every patch was applied, but not all of them are in the record"
    );
    Ok(())
}
