//! The cap on a subject's sessions is exact, however many logins come at once.

use std::num::NonZeroU32;

use sessile_core::{Created, Loaded, OnFull, SessionId, SubjectCap};
use tokio::task::JoinSet;

use crate::law::Ground;
use crate::stage::{MINUTE, NOW, SECOND, Stage, after, draft, draft_at, told};
use crate::violation::{Holds, Violation, ensure};

/// How many log in at once.
const LOGINS: usize = 100;
const MOST: u32 = 7;

fn cap(most: u32, on_full: OnFull) -> Option<SubjectCap> {
    NonZeroU32::new(most).map(|max| SubjectCap { max, on_full })
}

/// All at once: who logged in, and what each was answered.
async fn logins(
    stage: &Stage,
    cap: Option<SubjectCap>,
) -> Result<Vec<(SessionId, Created)>, Violation> {
    let mut tasks: JoinSet<Result<_, Violation>> = JoinSet::new();
    for _ in 0..LOGINS {
        let stage = stage.clone();
        tasks.spawn(async move {
            let session = draft().of("ann");
            let created = stage.create(&session, cap, NOW).await?;
            Ok((session.sid(), created))
        });
    }
    let mut answers = Vec::new();
    while let Some(task) = tasks.join_next().await {
        answers.push(task.map_err(|_| Violation::new("the store panicked"))??);
    }
    Ok(answers)
}

pub(crate) async fn a_cap_that_rejects_is_exact_under_parallel_logins(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let answers = logins(&stage, cap(MOST, OnFull::Reject)).await?;
    let made = answers
        .iter()
        .filter(|(_, created)| *created == Created::Created);
    let made = made.count();
    ensure!(
        made == MOST as usize,
        "with room for {MOST}, {made} of {LOGINS} parallel logins were made"
    );
    let full = answers
        .iter()
        .filter(|(_, created)| *created == Created::Full);
    ensure!(
        full.count() == LOGINS - made,
        "a login beyond the cap was not told that it is full"
    );
    let listed = stage.listed("ann", NOW).await?.len();
    ensure!(
        listed == made,
        "{made} logins were made, {listed} are listed"
    );
    Ok(())
}

pub(crate) async fn a_cap_that_evicts_is_exact_under_parallel_logins(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let answers = logins(&stage, cap(MOST, OnFull::EvictOldest)).await?;
    let mut live = 0;
    for (sid, created) in &answers {
        ensure!(
            *created == Created::Created,
            "with a cap that evicts, a login was answered {created:?}"
        );
        live += usize::from(stage.is_live(sid, NOW).await?);
    }
    ensure!(
        live == MOST as usize,
        "with room for {MOST}, {live} sessions of {LOGINS} parallel logins are live"
    );
    Ok(())
}

pub(crate) async fn a_cap_evicts_the_oldest(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let made: Vec<_> = (0..5)
        .map(|at| draft_at(after(SECOND * at)).of("ann"))
        .collect();
    for session in &made {
        let now = session.record().created_at;
        let created = stage
            .create(session, cap(3, OnFull::EvictOldest), now)
            .await?;
        ensure!(
            created == Created::Created,
            "with a cap that evicts, a login was answered {created:?}"
        );
    }
    for (at, session) in made.iter().enumerate() {
        let loaded = stage.load(&session.sid(), after(SECOND * 5)).await?;
        let stays = at >= 2;
        ensure!(
            matches!(loaded, Loaded::Live(_)) == stays,
            "of five logins with room for three, the one at place {at} is {}",
            told(&loaded)
        );
    }
    Ok(())
}

pub(crate) async fn a_lower_cap_ends_as_many_as_are_too_many(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let made: Vec<_> = (0..5)
        .map(|at| draft_at(after(SECOND * at)).of("ann"))
        .collect();
    for session in &made {
        stage.put(session).await?;
    }
    let now = after(SECOND * 5);
    let late = draft_at(now).of("ann");
    let created = stage
        .create(&late, cap(2, OnFull::EvictOldest), now)
        .await?;
    ensure!(
        created == Created::Created,
        "with a cap that evicts, a login was answered {created:?}"
    );
    let mut live = 0;
    for session in made.iter().chain([&late]) {
        live += usize::from(stage.is_live(&session.sid(), now).await?);
    }
    ensure!(
        live == 2 && stage.is_live(&late.sid(), now).await?,
        "a login of a subject with five sessions and room for two left {}",
        live
    );
    Ok(())
}

pub(crate) async fn only_live_sessions_of_the_subject_count_towards_a_cap(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let cap = cap(2, OnFull::Reject);
    let (gone, expires) = (draft().of("ann"), draft().of("ann").idle(MINUTE));
    let steps = [
        (&gone, NOW, Created::Created),
        (&expires, NOW, Created::Created),
        (&draft().of("ann"), NOW, Created::Full),
        (&draft().of("bob"), NOW, Created::Created),
        (&draft(), NOW, Created::Created),
    ];
    for (session, now, expected) in steps {
        let created = stage.create(session, cap, now).await?;
        ensure!(
            created == expected,
            "a login that had to be answered {expected:?} was answered {created:?}"
        );
    }
    stage.end(&gone.sid(), NOW, after(MINUTE * 5)).await?;
    let now = after(MINUTE);
    for expected in [Created::Created, Created::Created, Created::Full] {
        let created = stage.create(&draft_at(now).of("ann"), cap, now).await?;
        ensure!(
            created == expected,
            "with one session ended and one expired, a login that had to be answered {expected:?} was answered {created:?}"
        );
    }
    Ok(())
}
