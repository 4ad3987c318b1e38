//! What goes in comes out, byte for byte.

use std::sync::Arc;

use sessile_core::{
    Created, Data, ErrorKind, Loaded, Name, Previous, Record, Store, Text, Timestamp, VerifierHash,
    Wrapped,
};

use super::{Bed, record, record_of, start};

async fn kept(store: &dyn Store, record: &Record) -> Record {
    let created = store.create(Arc::new(record.clone()), None, start()).await;
    assert_eq!(created.unwrap(), Created::Created);
    match store.load(&record.sid, start()).await.unwrap() {
        Loaded::Live(record) => (*record).clone(),
        other => panic!("{other:?}"),
    }
}

pub async fn every_field_round_trips(bed: &impl Bed) {
    let store = bed.store();
    store.ping().await.unwrap();
    for until in [
        None,
        Some(Timestamp::from_millis(0x0102_0304_0506)),
        Some(Timestamp::MAX),
    ] {
        let mut record = record_of(Some("alice"));
        record.previous = Some(Box::new(Previous {
            hash: VerifierHash::from_bytes([0; 32]),
            wrapped: Wrapped::from_bytes([255; 16]),
            until,
        }));
        record.version = Timestamp::MAX.as_millis();
        record.created_at = Timestamp::default();
        record.idle_deadline = Timestamp::MAX;
        record.absolute_deadline = Timestamp::MAX;
        assert_eq!(kept(&*store, &record).await, record);
    }
    let nobody = record();
    assert_eq!(kept(&*store, &nobody).await, nobody);
    assert!(matches!(
        store.load(&record().sid, start()).await.unwrap(),
        Loaded::Absent
    ));
}

pub async fn extreme_keys_and_values_round_trip(bed: &impl Bed) {
    let store = bed.store();
    let keys = [
        "a",
        "A",
        "abc",
        "abc ",
        " abc",
        "a\"b",
        "a\\b",
        "a\\\"b",
        "$.x",
        "$.x[0]",
        "$",
        "a.b",
        "'",
        "''; --",
        "%",
        "_",
        "?",
        "$1",
        ":a",
        "__proto__",
        "käse",
        "ka\u{308}se",
        "\u{1f980}",
        "\u{202e}",
        "\u{10ffff}",
        "[0]",
        "*",
        "#",
        &"k".repeat(128),
    ];
    let values = [
        "null",
        "true",
        "0",
        "-0.0",
        "1e308",
        "5e-324",
        "18446744073709551615",
        "-9223372036854775808",
        "0.1",
        "\"\"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\\\ \\\" '\"",
        "\"\u{1f980}\u{10ffff}\"",
        "\"\\ud83e\\udd80\"",
        "[1, 2,3 ]",
        "{\"b\":1,\"a\":2,\"a\":3}",
        "",
        "not json",
        "\"\u{7f}\u{85}\u{2028}\"",
        "' OR 1=1",
        "\\",
        "\"trailing \" ",
    ];
    for (shift, _) in values.iter().enumerate() {
        let value = |at: usize| values[(at + shift) % values.len()];
        let entries = keys.iter().enumerate();
        let data: Data = entries
            .map(|(at, key)| (Name::new(key).unwrap(), Text::from_encoded(value(at))))
            .collect();
        let mut first = record();
        first.data = data.clone();
        assert_eq!(kept(&*store, &first).await.data, data);

        // By a patch, with an expectation of each value, and with each of them gone again.
        let second = record();
        kept(&*store, &second).await;
        let mut patch = sessile_core::Patch::new(1);
        for (name, text) in data.iter() {
            patch.expect(name.clone(), None);
            patch.set(name.clone(), text.clone());
        }
        assert_applied(&*store, &second, &patch).await;
        let loaded = store.load(&second.sid, start()).await.unwrap();
        assert!(
            matches!(&loaded, Loaded::Live(record) if record.data == data),
            "{loaded:?}"
        );
        let mut patch = sessile_core::Patch::new(2);
        for (name, text) in data.iter() {
            patch.expect(name.clone(), Some(text.clone()));
            patch.remove(name.clone());
        }
        assert_applied(&*store, &second, &patch).await;
        let loaded = store.load(&second.sid, start()).await.unwrap();
        assert!(
            matches!(&loaded, Loaded::Live(record) if record.data.is_empty()),
            "{loaded:?}"
        );
    }
    // NUL itself is no part of encoded JSON.
    let mut bad = record();
    bad.data = Data::from_iter([(Name::new("a").unwrap(), Text::from_encoded("\0"))]);
    let error = store
        .create(Arc::new(bad), None, start())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

async fn assert_applied(store: &dyn Store, record: &Record, patch: &sessile_core::Patch) {
    let applied = store.apply(&record.sid, start(), patch).await.unwrap();
    let is_applied = matches!(applied, sessile_core::Applied::Applied { .. });
    assert!(is_applied, "{applied:?}");
}

pub async fn subjects_that_look_alike_are_different(bed: &impl Bed) {
    let store = bed.store();
    let long = "s".repeat(512);
    let subjects = [
        "alice",
        "Alice",
        "alice ",
        " alice",
        "alice\0",
        "",
        "\0",
        "a\\",
        "a'",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "\u{1f980}",
        &long,
    ];
    for subject in subjects {
        let record = record_of(Some(subject));
        assert_eq!(kept(&*store, &record).await, record);
    }
    for subject in subjects {
        let listed = store.list(subject, start()).await.unwrap();
        assert_eq!(listed.len(), 1, "{subject:?}");
        let record = listed[0].record.as_ref().unwrap();
        assert_eq!(record.subject.as_deref(), Some(subject));
        assert_eq!(record.sid, listed[0].sid);
    }
    kept(&*store, &record()).await;
    assert!(store.list("ALICE", start()).await.unwrap().is_empty());
    assert_eq!(
        store.count(start()).await.unwrap(),
        Some(subjects.len() as u64 + 1)
    );
}

pub async fn a_subject_that_is_too_long_is_refused(bed: &impl Bed) {
    let long = record_of(Some(&"s".repeat(513)));
    let error = bed
        .store()
        .create(Arc::new(long), None, start())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
