//! The stores against the reference: `Patch::apply_to`, and a map.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Created, Data, ErrorKind, Lifetime, Loaded, Patch, Patched, RECORD_LIMIT, Record,
    Rotation, SessionId, Store, Timestamp, Verifier, VerifierHash, Wrapped,
};

use super::{Bed, Random, after, name, record_of, start, text};

/// What the model keeps.
enum Kept {
    Record(Record),
    Tombstone(Timestamp),
}

/// One record and one patch at a time, thousands of times, with every field in play.
pub async fn random_patches_give_what_the_reference_gives(bed: &impl Bed) {
    let store = bed.store();
    let mut seen = HashMap::new();
    for seed in 0..1500 {
        let mut random = Random::new(seed);
        let record = random_record(&mut random);
        store
            .create(Arc::new(record.clone()), None, start())
            .await
            .unwrap();
        let patch = random_patch(&mut random, &record);
        let now = after(random.below(5000));
        let what = check(&*store, &record, now, &patch, seed).await;
        *seen.entry(what).or_insert(0) += 1;
    }
    // No case of it is so rare that the law says nothing.
    for (what, least) in [
        ("applied", 300),
        ("conflict", 100),
        ("gone", 30),
        ("too large", 10),
    ] {
        assert!(seen.get(what).copied().unwrap_or(0) >= least, "{seen:?}");
    }
}

/// Few sessions, many operations: each meets what the ones before it left.
pub async fn random_operations_give_what_the_model_gives(bed: &impl Bed) {
    let store = bed.store();
    let mut random = Random::new(7);
    let mut model: HashMap<SessionId, Kept> = HashMap::new();
    let ids: Vec<_> = (0..6).map(|_| SessionId::random()).collect();
    let mut now = start();
    for round in 0..1200 {
        now = now.after(Duration::from_millis(random.below(200)));
        let sid = ids[random.below(ids.len() as u64) as usize];
        match random.below(10) {
            0 | 1 => {
                let mut record = random_record(&mut random);
                record.sid = sid;
                record.created_at = now;
                record.last_seen = now;
                record.idle_deadline = now.after(Duration::from_millis(1 + random.below(3000)));
                record.absolute_deadline = now.after(Duration::from_millis(1 + random.below(6000)));
                let is_free = match model.get(&sid) {
                    None => true,
                    Some(Kept::Tombstone(until)) => *until <= now,
                    Some(Kept::Record(_)) => false,
                };
                let created = store
                    .create(Arc::new(record.clone()), None, now)
                    .await
                    .unwrap();
                assert_eq!(created == Created::Created, is_free, "round {round}");
                if is_free {
                    model.insert(sid, Kept::Record(record));
                }
            }
            2 => {
                let until = now.after(Duration::from_millis(random.below(2000)));
                let ended = store.end(&sid, now, until).await.unwrap();
                let until = match model.get(&sid) {
                    Some(Kept::Tombstone(earlier)) => until.max(*earlier),
                    _ => until,
                };
                match model.insert(sid, Kept::Tombstone(until)) {
                    Some(Kept::Record(record)) => assert_eq!(ended.as_deref(), Some(&record)),
                    _ => assert!(ended.is_none(), "round {round}: {ended:?}"),
                }
            }
            _ => match model.get(&sid) {
                Some(Kept::Record(record)) => {
                    let record = record.clone();
                    let patch = random_patch(&mut random, &record);
                    check(&*store, &record, now, &patch, round).await;
                    if let Ok(Patched::Applied(next)) = patch.apply_to(&record, now) {
                        model.insert(sid, Kept::Record(next));
                    }
                }
                _ => {
                    let patch = random_patch(&mut random, &random_record(&mut Random::new(round)));
                    let applied = store.apply(&sid, now, &patch).await.unwrap();
                    assert!(
                        matches!(applied, Applied::Gone),
                        "round {round}: {applied:?}"
                    );
                }
            },
        }
        let loaded = store.load(&sid, now).await.unwrap();
        let is_right = match (&loaded, model.get(&sid)) {
            (Loaded::Live(loaded), Some(Kept::Record(record))) => **loaded == *record,
            (Loaded::Expired, Some(Kept::Record(record))) => !record.is_live(now),
            (Loaded::Ended, Some(Kept::Tombstone(until))) => now < *until,
            (Loaded::Absent, Some(Kept::Tombstone(until))) => *until <= now,
            (Loaded::Absent, None) => true,
            _ => false,
        };
        assert!(is_right, "round {round}: {loaded:?}");
    }
}

/// Applies the patch to the record in the store, and by the reference. Says what became of it.
async fn check(
    store: &dyn Store,
    record: &Record,
    now: Timestamp,
    patch: &Patch,
    seed: u64,
) -> &'static str {
    let applied = store.apply(&record.sid, now, patch).await;
    let (what, kept) = match (patch.apply_to(record, now), applied) {
        (
            Ok(Patched::Applied(next)),
            Ok(Applied::Applied {
                version,
                record: given,
            }),
        ) => {
            assert_eq!(version, next.version, "seed {seed}: {patch:?}");
            match given {
                Some(given) => assert_eq!(*given, next, "seed {seed}: {patch:?}"),
                None => assert_eq!(record.version, patch.base(), "seed {seed}"),
            }
            ("applied", next)
        }
        (Ok(Patched::Conflict), Ok(Applied::Conflict(given))) => {
            assert_eq!(*given, *record, "seed {seed}: {patch:?}");
            ("conflict", record.clone())
        }
        (Ok(Patched::Gone), Ok(Applied::Gone)) => ("gone", record.clone()),
        (Err(wanted), Err(error)) => {
            assert_eq!(wanted.kind(), error.kind(), "seed {seed}: {patch:?}");
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            ("too large", record.clone())
        }
        (wanted, got) => panic!("seed {seed}: {wanted:?} but {got:?}\n{record:?}\n{patch:?}"),
    };
    // And what is kept is that; at a time when it lives.
    let early = now.min(kept.created_at);
    match store.load(&record.sid, early).await.unwrap() {
        Loaded::Live(loaded) => assert_eq!(*loaded, kept, "seed {seed}: {patch:?}"),
        other => assert!(!kept.is_live(early), "seed {seed}: {other:?}"),
    }
    what
}

const KEYS: [&str; 6] = ["a", "A", "a \"b\" \\", "$.x", "abc", "abc "];
const VALUES: [&str; 6] = ["1", "-0.0", "null", "\"\\u0000\"", "\"\u{1f980}\"", "1e308"];

fn random_record(random: &mut Random) -> Record {
    let mut record = record_of(random.one_in(2).then_some("alice"));
    record.version = 1 + random.below(5);
    record.last_seen = after(random.below(1000));
    record.idle_deadline = after(2000 + random.below(6000));
    record.absolute_deadline = after(2000 + random.below(6000));
    if random.one_in(2) {
        record.previous = Some(Box::new(sessile_core::Previous {
            hash: VerifierHash::from_bytes([random.below(256) as u8; 32]),
            wrapped: Wrapped::from_bytes([random.below(256) as u8; 16]),
            until: random.one_in(2).then(|| after(random.below(9000))),
        }));
    }
    let mut entries = Vec::new();
    for key in KEYS {
        if random.one_in(2) {
            entries.push((name(key), text(VALUES[random.below(6) as usize])));
        }
    }
    if random.one_in(6) {
        entries.push((name("big"), text(&"x".repeat(RECORD_LIMIT - 200))));
    }
    record.data = Data::from_iter(entries);
    record
}

fn random_patch(random: &mut Random, record: &Record) -> Patch {
    let mut patch = Patch::new((record.version + 1).saturating_sub(random.below(4)));
    if random.one_in(3) {
        patch = Patch::new(record.version);
    }
    if random.one_in(8) {
        patch.clear();
    }
    for key in KEYS {
        match random.below(6) {
            0 => patch.set(name(key), text(VALUES[random.below(6) as usize])),
            1 => patch.remove(name(key)),
            _ => {}
        }
    }
    match random.below(12) {
        0 => patch.set(
            name("big"),
            text(&"é".repeat(random.below(RECORD_LIMIT as u64) as usize)),
        ),
        1 => patch.set(name("more"), text(&"y".repeat(random.below(400) as usize))),
        2 => patch.remove(name("big")),
        _ => {}
    }
    let key = KEYS[random.below(6) as usize];
    match random.below(8) {
        0 | 1 => patch.expect(name(key), record.data.get(key).cloned()),
        2 => patch.expect(name(key), Some(text(VALUES[random.below(6) as usize]))),
        3 => patch.expect(name(key), None),
        _ => {}
    }
    if random.one_in(6) {
        let is_wrong = random.one_in(3);
        patch.rotate(Some(Rotation {
            expect: if is_wrong {
                VerifierHash::from_bytes([9; 32])
            } else {
                record.hash
            },
            new: Verifier::random().hash(),
            wrapped: Wrapped::from_bytes([random.below(256) as u8; 16]),
        }));
    }
    if random.one_in(3) {
        patch.confirm(after(random.below(9000)));
    }
    if random.one_in(5) {
        let millis = |random: &mut Random| Duration::from_millis(1 + random.below(9000));
        let longest = Duration::from_secs(u64::MAX);
        let idle = if random.one_in(5) {
            longest
        } else {
            millis(random)
        };
        patch.lifetime(Lifetime::new(idle, millis(random)).unwrap());
    }
    if random.one_in(3) {
        patch.touch(after(random.below(5000)));
    }
    if random.one_in(4) {
        patch.accept_older();
    }
    patch
}
