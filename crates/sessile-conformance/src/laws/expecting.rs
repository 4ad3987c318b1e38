//! Expectations are a compare-and-swap for each key, by value; the base is a lower bound.

use sessile_core::{Applied, Patch, Text, Verifier};

use crate::law::Ground;
use crate::stage::{MINUTE, NOW, Stage, after, draft, name, rotation, set, swap};
use crate::violation::{Holds, ensure};

pub(crate) async fn an_expectation_that_fails_is_a_conflict(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1").holding("b", "2");
    stage.put(&session).await?;
    stage
        .write(&session.sid(), NOW, &swap("a", Some("1"), "3"))
        .await?;
    stage
        .conflict(&session.sid(), NOW, &swap("a", Some("1"), "4"))
        .await?;
    // One that holds does not make up for one that fails.
    let mut both = swap("b", Some("2"), "5");
    both.expect(name("a"), Some(Text::from_encoded("1")));
    stage.conflict(&session.sid(), NOW, &both).await?;
    Ok(())
}

pub(crate) async fn an_expectation_of_absence_fails_where_there_is_a_value(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "null");
    stage.put(&session).await?;
    // A value of `null` is a value.
    stage
        .conflict(&session.sid(), NOW, &swap("a", None, "1"))
        .await?;
    stage
        .write(&session.sid(), NOW, &swap("b", None, "1"))
        .await?;
    stage
        .conflict(&session.sid(), NOW, &swap("b", None, "2"))
        .await?;
    Ok(())
}

pub(crate) async fn an_expectation_of_a_value_fails_where_there_is_none(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for text in ["1", "null", "\"\"", ""] {
        let conflict = stage
            .conflict(&session.sid(), NOW, &swap("a", Some(text), "2"))
            .await;
        conflict.map_err(|violation| violation.of("of a key that is not there"))?;
    }
    Ok(())
}

pub(crate) async fn expectations_are_of_values_and_not_of_versions(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    // Another key, then there and back again.
    for (key, text) in [("b", "1"), ("a", "2"), ("a", "1")] {
        stage.write(&session.sid(), NOW, &set(key, text)).await?;
    }
    let mut patch = Patch::new(1);
    patch.expect(name("a"), Some(Text::from_encoded("1")));
    patch.set(name("a"), Text::from_encoded("3"));
    stage.write(&session.sid(), NOW, &patch).await?;
    Ok(())
}

pub(crate) async fn an_expectation_alone_is_checked_and_changes_nothing(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let expecting = |text: Option<&str>| {
        let mut patch = Patch::new(1);
        patch.expect(name("a"), text.map(Text::from_encoded));
        patch
    };
    stage
        .write(&session.sid(), NOW, &expecting(Some("1")))
        .await?;
    for wrong in [Some("2"), None] {
        stage
            .conflict(&session.sid(), NOW, &expecting(wrong))
            .await?;
    }
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record == session.record(),
        "a patch of expectations alone changed the record"
    );
    Ok(())
}

pub(crate) async fn a_conflict_changes_nothing(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let mut unmet = swap("a", Some("0"), "2");
    unmet.clear();
    unmet.set(name("b"), Text::from_encoded("3"));
    unmet.touch(after(MINUTE));
    let mut too_new = Patch::new(9);
    too_new.set(name("a"), Text::from_encoded("2"));
    let mut rotation = rotation(&session.sid(), &Verifier::random(), &Verifier::random());
    rotation.set(name("a"), Text::from_encoded("2"));
    for patch in [unmet, too_new, rotation] {
        let Applied::Conflict(_) = stage.apply(&session.sid(), NOW, &patch).await? else {
            return Ok(()); // that it conflicts is another law
        };
        let record = stage.live(&session.sid(), NOW).await?;
        ensure!(
            record == session.record(),
            "a patch that conflicted changed the record"
        );
    }
    Ok(())
}

pub(crate) async fn a_conflict_brings_the_record_as_it_is(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().of("ann").holding("a", "1");
    stage.put(&session).await?;
    for text in ["2", "3"] {
        stage.write(&session.sid(), NOW, &set("a", text)).await?;
    }
    let current = stage.live(&session.sid(), NOW).await?;
    let mut patch = Patch::new(1);
    patch.set(name("a"), Text::from_encoded("4"));
    patch.expect(name("a"), Some(Text::from_encoded("1")));
    match stage.apply(&session.sid(), NOW, &patch).await? {
        Applied::Conflict(brought) => ensure!(
            brought == current,
            "the record that came with a conflict is not the record as it is"
        ),
        _ => return Ok(()), // that it conflicts is another law
    }
    Ok(())
}

pub(crate) async fn a_record_older_than_the_base_is_a_conflict(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let mut patch = Patch::new(2);
    patch.set(name("a"), Text::from_encoded("1"));
    stage.conflict(&session.sid(), NOW, &patch).await?;
    Ok(())
}

pub(crate) async fn an_older_record_that_is_accepted_gets_a_version_above_both(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for (base, expected) in [(9, 10), (4, 11)] {
        let mut patch = Patch::new(base);
        patch.accept_older();
        patch.set(name("a"), Text::from_encoded("1"));
        let told = stage.write(&session.sid(), NOW, &patch).await?;
        let kept = stage.live(&session.sid(), NOW).await?.version;
        ensure!(
            told == expected && kept == expected,
            "a write from base {base} that has to make version {expected} answered {told} and left {kept}"
        );
    }
    Ok(())
}
