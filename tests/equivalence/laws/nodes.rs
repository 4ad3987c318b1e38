//! Two processes of one service, and one that dies.

use serde_json::json;

use crate::beds::Bed;

pub(super) fn another_node_goes_on_where_this_one_was(bed: &Bed) {
    let mut client = bed.first.client();
    client.json("PUT", "/set/k", "1").is(204);
    let id = client.whoami()["id"].clone();
    for round in 1..=6 {
        client = client.at([bed.second.port, bed.first.port][round % 2]);
        assert_eq!(client.post("/incr/n").is(200).body, round.to_string());
    }
    assert_eq!(client.whoami()["id"], id);
    assert_eq!(client.get("/all").json(), json!({ "k": 1, "n": 6 }));
}

pub(super) fn a_logout_holds_on_every_node(bed: &Bed) {
    let mut here = bed.first.client();
    here.post("/login/ada").is(204);
    let mut there = here.at(bed.second.port);
    assert_eq!(there.whoami()["subject"], "ada", "it has a copy by now");
    here.post("/logout").is(204);
    bed.until_revoked_everywhere();
    assert_eq!(there.arrival(), "ended");
    there.post("/incr/n").fails_with(409, "gone");
    let mut back = there.at(bed.first.port);
    assert_eq!(back.arrival(), "ended", "nor was it written back");
}

pub(super) fn a_revocation_reaches_every_node(bed: &Bed) {
    let mut here = bed.first.client();
    here.post("/login/mia").is(204);
    let mut there = bed.second.client();
    there.post("/login/mia").is(204);
    let sessions = here.get("/sessions").is(200).json();
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    here.post("/revoke-others").is(204);
    bed.until_revoked_everywhere();
    assert_eq!(there.arrival(), "ended");
    assert_eq!(here.arrival(), "resumed");
}

pub(super) fn what_was_acknowledged_outlives_the_process(bed: &Bed) {
    let process = bed.process("");
    let mut client = process.client();
    client.post("/login/ada").is(204);
    assert_eq!(client.post("/incr/n").is(200).body, "1");
    // Killed, without a chance to say good-bye.
    drop(process);
    let process = bed.process("");
    let mut client = client.at(process.port);
    assert_eq!(client.whoami()["subject"], "ada");
    assert_eq!(client.post("/incr/n").is(200).body, "2");
}
