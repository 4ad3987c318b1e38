//! Whoever steals a store's files finds nothing that opens a session.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::store::Store;

/// The ways in which a secret could stand in a file: as it is, in hexadecimal, in base64.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
    ]
}

fn holds(dump: &[u8], text: &[u8]) -> bool {
    dump.windows(text.len()).any(|window| window == text)
}

#[test]
fn a_dump_of_the_store_holds_no_usable_credential() {
    for start in Store::each() {
        let store = start();
        let server = store.testbed();
        let mut client = server.client();
        client
            .json("PUT", "/set/note", "\"a value to be found\"")
            .is(204);
        let mut credentials = client.jar.values().cloned().collect::<Vec<_>>();
        for step in ["/login/alice", "/renew"] {
            client.post(step).is(204);
            credentials.extend(client.jar.values().cloned());
        }
        let dump = store.dump();
        let marker = forms(b"a value to be found");
        let is_whole = marker.iter().any(|form| holds(&dump, form));
        assert!(is_whole, "{}: the dump is whole", store.name());
        for credential in credentials {
            let bytes = URL_SAFE_NO_PAD.decode(&credential[..43]).unwrap();
            for secret in forms(&bytes[16..32])
                .iter()
                .chain([&credential.into_bytes()])
            {
                assert!(!holds(&dump, secret), "{}: a secret is in it", store.name());
            }
        }
    }
}
