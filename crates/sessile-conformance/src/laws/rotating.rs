//! A rotation is a compare-and-swap on the verifier, and keeps the one before for a while.

use sessile_core::{Patch, Timestamp, Verdict, Verifier};

use crate::law::Ground;
use crate::stage::{HOUR, MINUTE, NOW, SECOND, Stage, after, draft, name, rotation, value};
use crate::violation::{Holds, Violation, ensure};

pub(crate) async fn a_rotation_replaces_the_verifier(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let new = Verifier::random();
    let version = stage
        .write(&session.sid(), NOW, &session.rotation(&new))
        .await?;
    ensure!(version == 2, "a rotation of version 1 answered {version}");
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.hash == new.hash(),
        "after a rotation the verifier is not the new one"
    );
    Ok(())
}

pub(crate) async fn a_rotation_keeps_the_previous_verifier_with_its_successor(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    // Twice: of the previous ones, the last alone is kept.
    let (first, second) = (Verifier::random(), Verifier::random());
    stage
        .write(&session.sid(), NOW, &session.rotation(&first))
        .await?;
    let steps = [
        (session.verifier.clone(), first.clone()),
        (first, second.clone()),
    ];
    for (old, new) in steps {
        if new.hash() == second.hash() {
            let patch = rotation(&session.sid(), &old, &new);
            stage.write(&session.sid(), NOW, &patch).await?;
        }
        let record = stage.live(&session.sid(), NOW).await?;
        match record.verify(&old, after(HOUR)) {
            Verdict::Previous { successor } => ensure!(
                successor.expose() == new.expose(),
                "the previous verifier unwraps to another one than its successor"
            ),
            other => {
                return Err(Violation::new(format!(
                    "the previous verifier is not honoured: {other:?}"
                )));
            }
        }
    }
    Ok(())
}

pub(crate) async fn a_verifier_that_is_not_the_current_one_is_not_replaced(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let (first, second) = (Verifier::random(), Verifier::random());
    stage
        .write(&session.sid(), NOW, &session.rotation(&first))
        .await?;
    stage
        .conflict(&session.sid(), NOW, &session.rotation(&second))
        .await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.hash == first.hash(),
        "a rotation from a verifier that was replaced already was made"
    );
    Ok(())
}

pub(crate) async fn a_rotation_loses_no_data(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1").of("ann");
    stage.put(&session).await?;
    let mut patch = session.rotation(&Verifier::random());
    patch.set(name("b"), sessile_core::Text::from_encoded("2"));
    stage.write(&session.sid(), NOW, &patch).await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "a") == Some("1") && value(&record, "b") == Some("2"),
        "a rotation and a write in one patch are not both there"
    );
    ensure!(
        record.subject.as_deref() == Some("ann"),
        "a rotation changed who is logged in"
    );
    Ok(())
}

pub(crate) async fn a_confirmation_ends_the_grace_once(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    stage
        .write(&session.sid(), NOW, &session.rotation(&Verifier::random()))
        .await?;
    for until in [after(MINUTE), after(MINUTE * 2), after(SECOND)] {
        let before = stage.live(&session.sid(), NOW).await?.version;
        let version = stage
            .write(&session.sid(), NOW, &confirmation(until))
            .await?;
        ensure!(
            version == before,
            "a confirmation of version {before} answered {version}"
        );
        let record = stage.live(&session.sid(), NOW).await?;
        let Some(previous) = &record.previous else {
            return Ok(()); // that it is kept is another law
        };
        ensure!(
            previous.until == Some(after(MINUTE)),
            "the grace does not end when the first confirmation said"
        );
    }
    Ok(())
}

pub(crate) async fn a_confirmation_without_a_previous_verifier_does_nothing(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    stage
        .write(&session.sid(), NOW, &confirmation(after(MINUTE)))
        .await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record == session.record(),
        "a confirmation without a previous verifier changed the record"
    );
    Ok(())
}

fn confirmation(until: Timestamp) -> Patch {
    let mut patch = Patch::new(0);
    patch.confirm(until);
    patch
}
