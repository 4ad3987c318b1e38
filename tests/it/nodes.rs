//! The testbed as one of several nodes: forwarded, adopted, drained.

use sessile_e2e::{Folder, KEY, Nodes, eventually, refusal};

#[test]
fn a_request_is_sent_on_and_a_drained_node_lets_its_clients_go_before_it_is_unready() {
    let folder = Folder::new("nodes");
    let url = format!("sqlite:{}/a.db?mode=rwc", folder.path().display());
    let mut nodes = Nodes::start(&["n1", "n2"], &["--backing", &url]);
    let [one, two] = [0, 1].map(|at| nodes.0[at].port);
    let mut client = nodes.get("n1").client();
    client.get("/visits").is(200);
    assert_eq!(client.at(two).whoami()["node"], "n1", "sent on");

    let mut operator = nodes.get("n1").client();
    operator.post("/drain").is(202);
    operator.get("/ready").is(200);
    assert_eq!(client.get("/visits").body, "visit 2");
    assert!(client.jar["__Host-sid"].starts_with("0."));
    client = client.at(two);
    assert_eq!(client.get("/visits").body, "visit 3");
    assert_eq!(client.whoami()["node"], "n2", "adopted");
    eventually("drained, and unready at last", || {
        (operator.get("/ready").status == 503).then_some(())
    });
    assert!(nodes.get("n1").terminate().success());
    nodes.get("n1").start();
    assert_eq!(
        client.at(one).whoami()["node"],
        "n2",
        "sent on by the new n1"
    );
}

#[test]
fn without_a_store_there_is_nothing_to_drain_to_and_the_node_stays_ready() {
    let mut nodes = Nodes::start(&["n1"], &[]);
    let mut operator = nodes.get("n1").client();
    operator.post("/drain").fails_with(501, "unsupported");
    operator.get("/ready").is(200);
    assert!(nodes.get("n1").terminate().success());
}

#[test]
fn flags_that_make_no_node_are_refused() {
    for flags in [
        &["--backing", "memory:"][..],
        &["--node", "n1", "--revalidate", "5s"],
        &["--node", "n1", "--misrouted", "hope"],
        &["--strategy", "stored=memory:", "--node", "n1"],
    ] {
        let (code, said) = refusal("testbed", flags, KEY);
        assert_eq!(code, Some(2), "{flags:?}: {said}");
    }
    for flags in [&["--node", "N1"][..], &["--node", "n1", "--peers", "app"]] {
        let (code, said) = refusal("testbed", flags, KEY);
        assert_eq!(code, Some(1), "{flags:?}: {said}");
    }
}
