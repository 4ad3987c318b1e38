//! The sessions of a subject: listed without a gap, and revoked for good.

use sessile_core::{Created, SessionId, Verifier};
use tokio::task::JoinSet;

use crate::law::Ground;
use crate::stage::{Draft, MINUTE, NOW, SECOND, Stage, after, draft, lifetime, set, touch};
use crate::violation::{Holds, Violation, ensure};

/// Subjects that are the same to a database that folds, trims, or ends at NUL.
fn subjects() -> Vec<String> {
    let mut subjects: Vec<String> = [
        "ann",
        "Ann",
        "ANN",
        "ann ",
        " ann",
        "ann\0",
        "ann\0b",
        "\0",
        "käse",
        "ka\u{308}se",
        "kase",
        "ß",
        "ss",
        "🦀",
        "a'b",
        "a\"b",
        "a\\b",
        "a%",
        "a_",
        "%",
        "_",
        "*",
        "a:b",
        "{a}",
        "\n",
        "null",
        "0",
    ]
    .map(String::from)
    .into();
    subjects.push("s".repeat(511));
    subjects.push("s".repeat(512));
    subjects
}

pub(crate) async fn subjects_are_told_apart_by_their_bytes(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let mut sessions = Vec::new();
    for subject in subjects() {
        let session = draft().of(&subject);
        let kept = stage.put(&session).await;
        kept.map_err(|violation| violation.of(format!("the subject {subject:?}")))?;
        sessions.push((subject, session.sid()));
    }
    for (subject, sid) in &sessions {
        let record = stage.live(sid, NOW).await?;
        ensure!(
            record.subject.as_deref() == Some(subject),
            "the subject {subject:?} came back as another one"
        );
        let listed = stage.listed(subject, NOW).await?;
        ensure!(
            listed == [*sid],
            "the one session of {subject:?} is listed as {} live ones",
            listed.len()
        );
    }
    Ok(())
}

pub(crate) async fn every_live_session_of_a_subject_is_listed(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (long, verifier) = (MINUTE * 60, Verifier::random());
    let drafts: Vec<Draft> = (0..5).map(|_| draft().of("ann")).collect();
    for draft in &drafts {
        stage.put(draft).await?;
    }
    // Whatever is done to them, they stay listed.
    let [_, touched, written, renewed, prolonged] = &drafts[..] else {
        return Ok(());
    };
    let now = after(MINUTE * 5);
    stage.write(&touched.sid(), now, &touch(now)).await?;
    stage.write(&written.sid(), now, &set("a", "1")).await?;
    stage
        .write(&renewed.sid(), now, &renewed.rotation(&verifier))
        .await?;
    stage
        .write(&prolonged.sid(), now, &lifetime(long, long * 2))
        .await?;
    let mut made: Vec<_> = drafts.iter().map(Draft::sid).collect();
    made.sort();
    let candidates = stage.list("ann", now).await?;
    for candidate in &candidates {
        let Some(record) = &candidate.record else {
            continue;
        };
        let kept = stage.live(&candidate.sid, now).await?;
        ensure!(kept == *record, "a list brought a record as it was before");
    }
    let listed = stage.listed("ann", now).await?;
    ensure!(
        listed == made,
        "of {} live sessions of a subject, {} are listed",
        made.len(),
        listed.len()
    );
    Ok(())
}

pub(crate) async fn nobody_elses_session_is_listed(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    for session in [draft().of("ann"), draft().of("bob"), draft()] {
        stage.put(&session).await?;
    }
    for candidate in stage.list("ann", NOW).await? {
        let subject = candidate
            .record
            .as_ref()
            .map(|record| record.subject.as_deref());
        ensure!(
            matches!(subject, None | Some(Some("ann"))),
            "somebody else's session is listed as the subject's"
        );
    }
    let listed = stage.listed("eve", NOW).await?;
    ensure!(listed.is_empty(), "a subject without sessions has one");
    Ok(())
}

pub(crate) async fn what_ended_is_not_listed_as_live(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (gone, stays) = (draft().of("ann"), draft().of("ann"));
    for session in [&gone, &stays] {
        stage.put(session).await?;
    }
    stage.end(&gone.sid(), NOW, after(MINUTE)).await?;
    let listed = stage.listed("ann", NOW).await?;
    ensure!(
        !listed.contains(&gone.sid()),
        "an ended session is listed as live"
    );
    ensure!(
        listed.contains(&stays.sid()),
        "with one session ended, the other one is not listed"
    );
    Ok(())
}

pub(crate) async fn what_expired_is_not_listed_as_live(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (gone, stays) = (draft().of("ann").idle(SECOND), draft().of("ann"));
    for session in [&gone, &stays] {
        stage.put(session).await?;
    }
    let listed = stage.listed("ann", after(SECOND)).await?;
    ensure!(
        listed == [stays.sid()],
        "of a subject's two sessions, one of them expired, {} are listed as live",
        listed.len()
    );
    Ok(())
}

pub(crate) async fn what_a_slower_clock_still_serves_is_listed(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let late = SECOND * 30;
    let sessions = [
        draft().of("ann").idle(MINUTE),
        draft().of("ann").absolute(MINUTE),
    ];
    for session in &sessions {
        stage.put(session).await?;
    }
    stage.put(&draft().of("ann")).await?;
    let candidates = stage.list("ann", after(MINUTE + late)).await?;
    for session in &sessions {
        ensure!(
            candidates
                .iter()
                .any(|candidate| candidate.sid == session.sid()),
            "a session that expired {late:?} ago is not listed: by a slower clock it is live"
        );
    }
    Ok(())
}

/// Logins go on while their subject is revoked again and again.
pub(crate) async fn a_revocation_ends_every_login_that_it_finds(ground: Ground<'_>) -> Holds {
    const LOGINS: usize = 40;
    let stage = Stage::new(&ground).await;
    let mut tasks: JoinSet<Result<Vec<SessionId>, Violation>> = JoinSet::new();
    for _ in 0..LOGINS {
        let stage = stage.clone();
        tasks.spawn(async move {
            let session = draft().of("ann");
            let created = stage.create(&session, None, NOW).await?;
            ensure!(
                matches!(created, Created::Created | Created::Taken),
                "a login without a cap was answered {created:?}"
            );
            Ok(vec![session.sid()])
        });
    }
    for _ in 0..4 {
        let stage = stage.clone();
        tasks.spawn(async move { revoke(&stage).await });
    }
    let mut sids = Vec::new();
    while let Some(task) = tasks.join_next().await {
        sids.extend(task.map_err(|_| Violation::new("the store panicked"))??);
    }
    // All logins are over by now: one that was in flight before must be found.
    revoke(&stage).await?;
    for sid in sids {
        ensure!(
            !stage.is_live(&sid, NOW).await?,
            "after a revocation of its subject, a session is live"
        );
    }
    Ok(())
}

/// Ends whatever may belong to the subject, there or not.
async fn revoke(stage: &Stage) -> Result<Vec<SessionId>, Violation> {
    let mut ended = Vec::new();
    for candidate in stage.list("ann", NOW).await? {
        stage.end(&candidate.sid, NOW, after(MINUTE)).await?;
        ended.push(candidate.sid);
    }
    Ok(ended)
}

/// A revocation by list and end, and a login, one call of each after the other in every order.
pub(crate) async fn a_login_that_was_made_before_a_revocation_does_not_outlive_it(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    for login_at in 0..3 {
        let subject = format!("ann {login_at}");
        let (old, new) = (draft().of(&subject), draft().of(&subject));
        stage.put(&old).await?;
        let mut listed = Vec::new();
        for step in 0..3 {
            if step == login_at {
                stage.put(&new).await?;
            }
            match step {
                0 => listed = stage.list(&subject, NOW).await?,
                1 => {
                    for candidate in &listed {
                        stage.end(&candidate.sid, NOW, after(MINUTE)).await?;
                    }
                }
                _ => {}
            }
        }
        ensure!(
            !stage.is_live(&old.sid(), NOW).await?,
            "a session that was there before a revocation is live after it"
        );
        // The one that came later is another visit.
        let live = stage.is_live(&new.sid(), NOW).await?;
        ensure!(
            live == (login_at > 0),
            "a login before call {login_at} of a revocation is {} after it",
            if live { "live" } else { "ended" }
        );
    }
    Ok(())
}
