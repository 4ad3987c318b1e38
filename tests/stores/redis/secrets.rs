//! What a dump of the server gives away.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sessile_core::{Credential, Patch, Record, Rotation, Store as _, Verifier};
use sessile_e2e::RedisServer;

use super::open;
use crate::samples::{NOW, lifetime};

#[tokio::test]
async fn a_dump_opens_no_session() {
    let options = [
        "--appendonly",
        "yes",
        "--aof-use-rdb-preamble",
        "no",
        "--rdbcompression",
        "no",
    ];
    let server = RedisServer::start(&options);
    let store = open(&server.url());
    let (credential, successor) = (Credential::random(), Verifier::random());
    let mut record = Record::new(&credential, NOW, &lifetime());
    record.subject = Some("käse".into());
    let record = Arc::new(record);
    store.create(record.clone(), None, NOW).await.unwrap();
    let mut renew = Patch::new(1);
    renew.rotate(Some(Rotation {
        expect: credential.verifier.hash(),
        new: successor.hash(),
        wrapped: credential.verifier.wrap(&record.sid, &successor),
    }));
    store.apply(&record.sid, NOW, &renew).await.unwrap();
    assert_eq!(server.cli(&["save"]), "OK");

    let dump = read_all(server.folder());
    // The control: what is kept is found, both hashes and the id.
    for kept in [
        &credential.verifier.hash().as_bytes()[..],
        successor.hash().as_bytes(),
    ] {
        assert!(holds(&dump, kept));
    }
    assert!(holds(&dump, record.sid.to_string().as_bytes()));
    for secret in [&credential.verifier, &successor] {
        let bytes = secret.expose();
        assert!(!holds(&dump, &bytes));
        // Its text in base64, wherever it begins in a longer text.
        for shift in 0..3 {
            for url_safe in [false, true] {
                assert!(!holds(&dump, &base64(&bytes[shift..], url_safe)));
            }
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!holds(&dump, hex.as_bytes()));
    }
}

fn read_all(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(read_all(&path));
        } else {
            all.extend(fs::read(path).unwrap());
        }
    }
    all
}

fn holds(dump: &[u8], part: &[u8]) -> bool {
    dump.windows(part.len()).any(|window| window == part)
}

/// As many whole groups of base64 as there are.
fn base64(bytes: &[u8], url_safe: bool) -> Vec<u8> {
    let last: &[u8; 2] = if url_safe { b"-_" } else { b"+/" };
    let letters: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*last)
        .collect();
    let group = |group: &[u8]| {
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        [18, 12, 6, 0].map(|shift| letters[(bits >> shift) as usize & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}
