//! Plain writes merge by key, whatever else was written.

use sessile_core::{Applied, ErrorKind, Patch, Text, VERSION_LIMIT};

use crate::law::Ground;
use crate::stage::{NOW, Stage, answered, draft, name, set, touch, value};
use crate::violation::{Holds, Violation, ensure};

pub(crate) async fn writes_from_one_view_merge_by_key(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "0");
    stage.put(&session).await?;
    // All were made from version 1, each by someone who saw nothing of the others.
    for (key, text) in [("a", "1"), ("b", "2"), ("c", "3")] {
        let mut patch = Patch::new(1);
        patch.set(name(key), Text::from_encoded(text));
        stage.write(&session.sid(), NOW, &patch).await?;
    }
    let record = stage.live(&session.sid(), NOW).await?;
    for (key, text) in [("a", "1"), ("b", "2"), ("c", "3")] {
        ensure!(
            value(&record, key) == Some(text),
            "a write of another key undid an acknowledged one"
        );
    }
    Ok(())
}

pub(crate) async fn of_two_writes_of_one_key_the_later_stays(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for text in ["1", "2"] {
        stage.write(&session.sid(), NOW, &set("a", text)).await?;
        let record = stage.live(&session.sid(), NOW).await?;
        ensure!(
            value(&record, "a") == Some(text),
            "an acknowledged write is not there"
        );
    }
    Ok(())
}

pub(crate) async fn a_removal_removes_its_key_and_no_other(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft()
        .holding("a", "1")
        .holding("b", "2")
        .holding("c", "3");
    stage.put(&session).await?;
    let mut patch = Patch::new(1);
    for key in ["a", "never there"] {
        patch.remove(name(key));
    }
    stage.write(&session.sid(), NOW, &patch).await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "a").is_none(),
        "a key that was removed is there"
    );
    ensure!(
        value(&record, "b") == Some("2") && value(&record, "c") == Some("3"),
        "a removal took another key with it"
    );
    Ok(())
}

pub(crate) async fn a_clear_removes_keys_that_its_maker_never_saw(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let mut clear = Patch::new(1);
    clear.clear();
    stage
        .write(&session.sid(), NOW, &set("unseen", "2"))
        .await?;
    stage.write(&session.sid(), NOW, &clear).await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.data.is_empty(),
        "after a clear, {} keys are left",
        record.data.len()
    );
    Ok(())
}

pub(crate) async fn what_is_set_after_a_clear_stays(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1").holding("b", "2");
    stage.put(&session).await?;
    let mut patch = Patch::new(1);
    patch.clear();
    patch.set(name("a"), Text::from_encoded("3"));
    patch.set(name("c"), Text::from_encoded("4"));
    stage.write(&session.sid(), NOW, &patch).await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "a") == Some("3") && value(&record, "c") == Some("4"),
        "what was set after a clear is not there"
    );
    Ok(())
}

pub(crate) async fn every_write_raises_the_version(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let mut remove = Patch::new(0);
    remove.remove(name("a"));
    let mut clear = Patch::new(0);
    clear.clear();
    for (at, patch) in (2..).zip([set("a", "1"), remove, clear]) {
        let told = stage.write(&session.sid(), NOW, &patch).await?;
        let kept = stage.live(&session.sid(), NOW).await?.version;
        ensure!(
            told == at && kept == at,
            "the write that makes version {at} answered {told} and left {kept}"
        );
    }
    Ok(())
}

pub(crate) async fn versions_are_exact_up_to_their_limit(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    // Where a double, or its usual text, would no longer tell two of them apart.
    for version in [
        1 << 32,
        100_000_000_000_001,
        VERSION_LIMIT - 1,
        VERSION_LIMIT,
    ] {
        let session = draft().version(version - 1);
        stage.put(&session).await?;
        let told = stage.write(&session.sid(), NOW, &set("a", "1")).await?;
        let kept = stage.live(&session.sid(), NOW).await?.version;
        ensure!(
            told == version && kept == version,
            "the write that makes version {version} answered {told} and left {kept}"
        );
    }
    Ok(())
}

pub(crate) async fn there_is_no_version_beyond_the_limit(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let (last, early) = (draft().version(VERSION_LIMIT), draft());
    let mut beyond = Patch::new(VERSION_LIMIT);
    beyond.set(name("a"), Text::from_encoded("1"));
    beyond.accept_older();
    for (session, patch) in [(last, set("a", "1")), (early, beyond)] {
        stage.put(&session).await?;
        let before = stage.live(&session.sid(), NOW).await?;
        match stage.store.apply(&session.sid(), NOW, &patch).await {
            Err(error) if error.kind() == ErrorKind::Corrupt => {}
            other => {
                let told = match &other {
                    Ok(applied) => answered(applied).to_owned(),
                    Err(error) => error.kind().to_string(),
                };
                return Err(Violation::new(format!(
                    "a write beyond the last version was answered {told}"
                )));
            }
        }
        ensure!(
            stage.live(&session.sid(), NOW).await? == before,
            "a write beyond the last version changed the record"
        );
        // A note of use makes no version.
        stage.write(&session.sid(), NOW, &touch(NOW)).await?;
    }
    Ok(())
}

pub(crate) async fn the_answer_to_a_patch_is_the_record_unless_it_was_the_base(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    // The first knows the record, the second does not know the first, the third only notes a use.
    let first = set("a", "1");
    let mut second = Patch::new(1);
    second.set(name("b"), Text::from_encoded("2"));
    let mut third = touch(NOW);
    third.expect(name("b"), Some(Text::from_encoded("2")));
    let mut before = 1;
    for patch in [first, second, third, Patch::new(3)] {
        let answer = stage.apply(&session.sid(), NOW, &patch).await?;
        let Applied::Applied { version, record } = answer else {
            return Err(Violation::new(format!(
                "a patch that had to apply was answered {}",
                answered(&answer)
            )));
        };
        let kept = stage.live(&session.sid(), NOW).await?;
        ensure!(
            version == kept.version,
            "a patch answered version {version}, but the record has {}",
            kept.version
        );
        match record {
            Some(record) => ensure!(
                record == kept,
                "the record that a patch answered is not the record that is kept"
            ),
            None => ensure!(
                patch.base() == before,
                "a patch on another version than its base answered no record"
            ),
        }
        before = version;
    }
    Ok(())
}
