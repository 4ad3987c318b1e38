//! Keys, values and subjects come back byte for byte, and are told apart by their bytes.

use sessile_core::{Patch, RECORD_LIMIT, Text};

use crate::law::Ground;
use crate::stage::{NOW, Stage, draft, name, set, swap, value};
use crate::violation::{Holds, ensure};

/// Encoded values that databases are known to round, reorder, refuse or cut.
const VALUES: &[&str] = &[
    "18446744073709551615",
    "-9223372036854775808",
    "-0.0",
    "0.1",
    "1.0",
    "1e308",
    "1E+2",
    "5e-324",
    "null",
    "\"\"",
    "\"null\"",
    "{\"b\":1,\"a\":2,\"b\":3}",
    "[1, 2 ,\t3]",
    r#""\u0000""#,
    r#""\ud83e\udd80 \" \\ \/ \n""#,
    "\"🦀 käse ﬁ e\u{301} \u{10ffff}\"",
    "\"' -- ; DROP % _ ? $1 :a {} \\\\\"",
    " 1 ",
    // Not even JSON: it is the reader's to find out.
    "{",
    "",
];

/// Keys that are quoted, escaped, folded or taken for a path somewhere.
const KEYS: &[&str] = &[
    "abc",
    "abc ",
    " abc",
    "ABC",
    "Abc",
    "a.b",
    "$.x",
    "$.x[0]",
    "$",
    "[0]",
    "*",
    "a'b",
    "a\"b",
    "a\\b",
    "a\\\"b",
    "\\u0061",
    "a b",
    "a:b",
    "a;b",
    "a%b",
    "a_b",
    "{a}",
    "?",
    "$1",
    "__proto__",
    "NULL",
    "null",
    "1",
    "01",
    "🦀",
    "käse",
    "kase",
    "ka\u{308}se",
    "ß",
    "ss",
    "\u{10ffff}",
    "d:a",
    "v",
    "version",
    "data",
    "sid",
    "subject",
    "expires",
    "-",
    "--",
    "#",
    "/",
    "a/b",
    "~",
    "`",
];

pub(crate) async fn values_come_back_byte_for_byte(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    for (at, text) in VALUES.iter().enumerate() {
        let key = format!("k{at}");
        stage.write(&session.sid(), NOW, &set(&key, text)).await?;
    }
    let mut created = draft();
    for (at, text) in VALUES.iter().enumerate() {
        created = created.holding(&format!("k{at}"), text);
    }
    stage.put(&created).await?;
    for sid in [session.sid(), created.sid()] {
        let record = stage.live(&sid, NOW).await?;
        for (at, text) in VALUES.iter().enumerate() {
            let kept = value(&record, &format!("k{at}"));
            ensure!(
                kept == Some(text),
                "the value {text:?} came back as {kept:?}"
            );
        }
    }
    Ok(())
}

pub(crate) async fn keys_come_back_byte_for_byte(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let longest = ["k".repeat(128), "🦀".repeat(32)];
    let keys: Vec<&str> = KEYS
        .iter()
        .copied()
        .chain(longest.iter().map(String::as_str))
        .collect();
    // One after the other, so that one that is taken for another shows.
    for (at, key) in keys.iter().enumerate() {
        let patch = swap(key, None, &at.to_string());
        let written = stage.write(&session.sid(), NOW, &patch).await;
        written.map_err(|violation| violation.of(format!("the key {key:?}")))?;
    }
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.data.len() == keys.len(),
        "of {} keys, {} are there",
        keys.len(),
        record.data.len()
    );
    for (at, key) in keys.iter().enumerate() {
        ensure!(
            value(&record, key) == Some(at.to_string().as_str()),
            "the key {key:?} does not hold what was written under it"
        );
    }
    Ok(())
}

pub(crate) async fn any_key_can_be_removed_alone(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let mut session = draft();
    for key in KEYS {
        session = session.holding(key, "1");
    }
    stage.put(&session).await?;
    for (left, key) in (0..KEYS.len()).rev().zip(KEYS) {
        let mut patch = Patch::new(0);
        patch.remove(name(key));
        stage.write(&session.sid(), NOW, &patch).await?;
        let record = stage.live(&session.sid(), NOW).await?;
        ensure!(
            record.data.len() == left && value(&record, key).is_none(),
            "the removal of the key {key:?} did not remove it alone"
        );
    }
    Ok(())
}

pub(crate) async fn expectations_compare_bytes(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    // Each is equal to its neighbour for somebody.
    let pairs = [
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("1", "\"1\""),
        ("\"abc\"", "\"ABC\""),
        ("\"abc\"", "\"abc \""),
        ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"),
        ("[1,2]", "[1, 2]"),
        ("9007199254740993", "9007199254740992"),
        ("\"ß\"", "\"ss\""),
        ("\"\\u0061\"", "\"a\""),
    ];
    for (stored, other) in pairs {
        stage.write(&session.sid(), NOW, &set("a", stored)).await?;
        let wrong = swap("a", Some(other), "0");
        let conflict = stage.conflict(&session.sid(), NOW, &wrong).await;
        conflict.map_err(|violation| violation.of(format!("{other} expected of {stored}")))?;
        stage.write(&session.sid(), NOW, &set("a", stored)).await?;
        let right = swap("a", Some(stored), "0");
        let applied = stage.write(&session.sid(), NOW, &right).await;
        applied.map_err(|violation| violation.of(format!("{stored} expected of itself")))?;
    }
    Ok(())
}

pub(crate) async fn a_session_may_hold_hundreds_of_keys(ground: Ground<'_>) -> Holds {
    const KEYS: usize = 500;
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let keys: Vec<String> = (0..KEYS).map(|at| format!("key {at}")).collect();
    let mut patch = Patch::new(1);
    for key in &keys {
        patch.set(name(key), Text::from_encoded("1"));
        patch.expect(name(key), None);
    }
    stage.write(&session.sid(), NOW, &patch).await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record.data.len() == KEYS,
        "of {KEYS} keys written at once, {} are there",
        record.data.len()
    );
    let mut patch = Patch::new(2);
    for key in &keys[1..] {
        patch.remove(name(key));
        patch.expect(name(key), Some(Text::from_encoded("1")));
    }
    stage.write(&session.sid(), NOW, &patch).await?;
    let left = stage.live(&session.sid(), NOW).await?.data.len();
    ensure!(
        left == 1,
        "of {KEYS} keys, all but one removed, {left} are there"
    );
    Ok(())
}

pub(crate) async fn a_session_may_hold_exactly_its_limit(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft();
    stage.put(&session).await?;
    let largest = "x".repeat(RECORD_LIMIT - 1);
    stage
        .write(&session.sid(), NOW, &set("k", &largest))
        .await?;
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        value(&record, "k") == Some(&largest),
        "a value as large as the limit did not come back"
    );
    // It may be written again: it does not grow.
    stage
        .write(&session.sid(), NOW, &set("k", &largest))
        .await?;
    Ok(())
}

pub(crate) async fn what_would_grow_beyond_the_limit_is_too_large_and_changes_nothing(
    ground: Ground<'_>,
) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft().holding("a", "1");
    stage.put(&session).await?;
    let mut patch = set("k", &"x".repeat(RECORD_LIMIT - 2));
    patch.set(name("a"), Text::from_encoded("2"));
    match stage.store.apply(&session.sid(), NOW, &patch).await {
        Err(error) if error.kind() == sessile_core::ErrorKind::TooLarge => {}
        Err(error) => return Err(error.into()),
        Ok(applied) => ensure!(
            false,
            "one byte beyond the limit was answered {}",
            crate::stage::answered(&applied)
        ),
    }
    let record = stage.live(&session.sid(), NOW).await?;
    ensure!(
        record == session.record(),
        "a write that was too large changed the record"
    );
    Ok(())
}

pub(crate) async fn one_that_is_too_large_already_may_shrink(ground: Ground<'_>) -> Holds {
    let stage = Stage::new(&ground).await;
    let session = draft()
        .holding("k", &"x".repeat(RECORD_LIMIT))
        .holding("a", "1");
    match stage.store.create(session.record(), None, NOW).await {
        // It can't come to be.
        Err(error) if error.kind() == sessile_core::ErrorKind::TooLarge => return Ok(()),
        created => created?,
    };
    let mut patch = Patch::new(1);
    patch.remove(name("a"));
    stage.write(&session.sid(), NOW, &patch).await?;
    Ok(())
}
