//! Data: what is written is read, and nothing else happens.

use serde_json::{Value, json};

use crate::beds::Bed;

pub(super) fn values_come_back_as_they_were_written(bed: &Bed) {
    let mut client = bed.first.client();
    for json in [
        "18446744073709551615",
        "-0.0",
        "1e308",
        "\"\\u0000é\"",
        "null",
        "[1.10]",
        "{\"b\":1,\"a\":[true]}",
    ] {
        for key in ["k", "a%22b%5Cc%20%C3%A9%F0%9F%A6%80", "%24.a%5B0%5D"] {
            client.json("PUT", &format!("/set/{key}"), json).is(204);
            let read = client.get(&format!("/get/{key}")).is(200);
            assert_eq!(read.body, json, "{key}");
        }
    }
}

/// What an `update` or a `remove` did was lost in others.
pub(super) fn every_kind_of_change_is_kept(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/n", "1").is(204);
    client.post("/incr-lazy/n").is(200);
    assert_eq!(client.get("/get/n").body, "2");
    client.post("/incr/n").is(200);
    assert_eq!(client.get("/all").json(), json!({ "n": 3 }));
    client.json("PUT", "/set/m", "0").is(204);
    client.send("DELETE", "/remove/n", &[], "").is(204);
    assert_eq!(client.get("/all").json(), json!({ "m": 0 }));
    assert_eq!(client.post("/take/m").is(200).body, "0");
    assert_eq!(
        client.arrival(),
        "resumed",
        "the last key is gone, the session is not"
    );
    client.json("PUT", "/set/a", "1").is(204);
    client.post("/clear").is(204);
    assert_eq!(client.get("/all").json(), json!({}));
}

pub(super) fn who_writes_nothing_has_no_session(bed: &Bed) {
    let mut client = bed.first.client();
    for _ in 0..20 {
        assert!(!client.get("/all").is(200).sets_cookie());
        assert!(!client.get("/ignore").is(200).sets_cookie());
    }
    client.post("/clear").is(204);
    client.post("/take/k").is(404);
    client.send("DELETE", "/remove/k", &[], "").is(404);
    client.post("/logout").is(204);
    assert!(client.jar.is_empty(), "{:?}", client.jar);
    assert_eq!(client.whoami()["id"], Value::Null);
}

pub(super) fn a_read_sets_no_cookie(bed: &Bed) {
    let mut client = bed.first.client();
    assert!(client.json("PUT", "/set/k", "1").is(204).sets_cookie());
    for _ in 0..5 {
        assert!(!client.get("/get/k").is(200).sets_cookie());
        assert!(!client.get("/whoami").is(200).sets_cookie());
        assert!(!client.get("/ignore").is(200).sets_cookie());
    }
}

pub(super) fn a_value_too_large_is_refused_and_harms_nothing(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/k", "1").is(204);
    let large = format!("\"{}\"", "x".repeat(2 * bed.promised.max_bytes));
    let refused = client.json("PUT", "/set/large", &large);
    refused.fails_with(500, "too_large");
    assert_eq!(client.get("/all").json(), json!({ "k": 1 }));
}

pub(super) fn any_status_commits_and_a_panic_does_not(bed: &Bed) {
    let mut client = bed.first.client();
    for status in [200, 302, 404, 500, 503] {
        client
            .post(&format!("/status/{status}/set/k/{status}"))
            .is(status);
        assert_eq!(client.get("/get/k").body, status.to_string());
    }
    client.post("/panic/set/k/0").is(500);
    assert_eq!(client.get("/get/k").body, "503");
}
