//! Who a session belongs to, and that one which has ended has ended.

use serde_json::{Value, json};

use crate::beds::Bed;

/// Not with a write, and not with a `clear` before anything was loaded.
pub(super) fn an_invented_credential_is_not_adopted(bed: &Bed) {
    let mut honest = bed.first.client();
    honest.json("PUT", "/set/k", "1").is(204);
    let real = honest.jar["__Host-sid"].clone();
    let middle = real.len() / 2;
    let changed = if &real[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let altered = format!("{}{changed}{}", &real[..middle], &real[middle + 1..]);
    for invented in ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &altered, "x"] {
        for write in ["/clear", "/incr/n"] {
            let mut client = bed.first.client();
            client.jar.insert("__Host-sid".into(), invented.to_owned());
            assert_eq!(client.arrival(), "unknown");
            assert_eq!(client.get("/all").json(), json!({}));
            client
                .post(write)
                .is(if write == "/clear" { 204 } else { 200 });
            let is_theirs = client.jar["__Host-sid"] == *invented;
            assert_eq!(is_theirs, write == "/clear", "{invented}");
        }
    }
    assert_eq!(honest.get("/all").json(), json!({ "k": 1 }));
}

pub(super) fn a_write_after_a_logout_in_one_request_is_a_new_session(bed: &Bed) {
    let mut client = bed.first.client();
    client.post("/login/ada").is(204);
    client.json("PUT", "/set/old", "1").is(204);
    let before = client.whoami()["id"].clone();
    let steps = r#"[["logout"],["set","new",2],["get","old"]]"#;
    let said = client.json("POST", "/mixed", steps).is(200).json();
    assert_eq!(said, json!([null, null, null]));
    let after = client.whoami();
    assert_ne!(after["id"], before);
    assert_eq!(after["subject"], Value::Null);
    assert_eq!(client.get("/all").json(), json!({ "new": 2 }));
}

pub(super) fn renew_write_logout_write_is_a_new_session_with_the_last_write(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/a", "0").is(204);
    let before = client.whoami()["id"].clone();
    let steps = r#"[["renew"],["set","a",1],["logout"],["set","a",2]]"#;
    client.json("POST", "/mixed", steps).is(200);
    assert_ne!(client.whoami()["id"], before);
    assert_eq!(client.get("/all").json(), json!({ "a": 2 }));
    let steps = r#"[["renew"],["set","b",3]]"#;
    client.json("POST", "/mixed", steps).is(200);
    assert_eq!(client.get("/all").json(), json!({ "a": 2, "b": 3 }));
}

pub(super) fn a_login_is_a_new_session_that_inherits_the_data(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/k", "1").is(204);
    let before = client.whoami()["id"].clone();
    client.post("/login/ada").is(204);
    let ada = client.whoami();
    assert_ne!(ada["id"], before);
    assert_eq!(ada["subject"], "ada");
    assert_eq!(client.get("/all").json(), json!({ "k": 1 }));
}

pub(super) fn a_login_over_another_user_shows_nothing_of_theirs(bed: &Bed) {
    let mut client = bed.first.client();
    client.post("/login/ada").is(204);
    client.json("PUT", "/set/k", "1").is(204);
    let ada = client.whoami()["id"].clone();
    client.post("/login/eve").is(204);
    let eve = client.whoami();
    assert_eq!(eve["subject"], "eve");
    assert_ne!(eve["id"], ada);
    assert_eq!(client.get("/all").json(), json!({}));
}

pub(super) fn a_login_and_a_logout_hold_whatever_the_status(bed: &Bed) {
    for status in [401, 500] {
        let mut client = bed.first.client();
        client
            .post(&format!("/status/{status}/login-ada"))
            .is(status);
        assert_eq!(client.whoami()["subject"], "ada");
        client.post(&format!("/status/{status}/logout")).is(status);
        assert!(client.jar.is_empty(), "{status}: {:?}", client.jar);
    }
}

pub(super) fn a_renew_keeps_session_and_data_whatever_the_status(bed: &Bed) {
    for status in [204, 403, 500] {
        let mut client = bed.first.client();
        client.json("PUT", "/set/k", "1").is(204);
        let (id, jar) = (client.whoami()["id"].clone(), client.jar.clone());
        client.post(&format!("/status/{status}/renew")).is(status);
        assert_ne!(client.jar, jar, "{status}: a new credential");
        let mut missed = client.clone();
        missed.jar = jar;
        for client in [&mut client, &mut missed] {
            assert_eq!(client.whoami()["id"], id, "{status}");
            assert_eq!(client.get("/get/k").body, "1");
        }
    }
}

pub(super) fn nothing_planted_before_a_login_survives_it(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/k", "1").is(204);
    let mut planted = client.clone();
    client.post("/login/ada").is(204);
    assert_eq!(planted.arrival(), "ended");
    assert_eq!(planted.get("/all").json(), json!({}));
    planted.json("PUT", "/set/k", "2").fails_with(409, "gone");
    assert_eq!(client.get("/all").json(), json!({ "k": 1 }));
}

pub(super) fn a_logout_ends_every_copy_of_the_credential(bed: &Bed) {
    let mut client = bed.first.client();
    client.post("/login/ada").is(204);
    let mut copy = client.clone();
    client.post("/logout").is(204);
    assert_eq!(copy.arrival(), "ended");
    copy.post("/incr/n").fails_with(409, "gone");
    copy.post("/renew").fails_with(409, "gone");
    assert_eq!(copy.arrival(), "ended", "nor did the tries bring it back");
    copy.post("/login/ada").is(204);
    assert_eq!(copy.arrival(), "resumed");
}

pub(super) fn a_subject_lists_and_revokes_its_sessions(bed: &Bed) {
    let log_in = || {
        let mut client = bed.first.client();
        client.post("/login/lin").is(204);
        client
    };
    let (mut a, mut b, mut c) = (log_in(), log_in(), log_in());
    assert_eq!(
        a.get("/sessions").is(200).json().as_array().unwrap().len(),
        3
    );
    let id = b.whoami()["id"].as_str().unwrap().to_owned();
    a.post(&format!("/revoke/{id}")).is(204);
    assert_eq!(b.arrival(), "ended");
    a.post("/revoke-others").is(204);
    assert_eq!(
        (a.arrival(), c.arrival()),
        ("resumed".into(), "ended".into())
    );
    a.post("/revoke-all").is(204);
    assert_eq!(a.arrival(), "ended");
}
