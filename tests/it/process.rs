//! The process: how it starts, how it stops, and what a restart leaves.

use sessile_e2e::{KEY, Server, refusal};

#[cfg(unix)]
#[test]
fn sigterm_ends_it_with_success_and_answers_what_is_in_flight() {
    for program in ["quickstart", "testbed"] {
        let server = Server::start(program);
        server.client().get("/visits").is(200);
        assert!(server.terminate().success(), "{program}");
    }
    let server = Server::start("testbed");
    let mut client = server.client();
    client.json("PUT", "/set/k", "0").is(204);
    let slow = std::thread::spawn(move || client.get("/slow/600/set/k/1"));
    sessile_e2e::pause(200);
    assert!(server.terminate().success());
    slow.join().unwrap().is(200);
}

#[test]
fn after_a_restart_with_the_same_key_a_session_is_lost_and_not_unknown() {
    let first = Server::start("testbed");
    let mut client = first.client();
    client.get("/visits").is(200);
    assert_eq!(client.arrival(), "resumed");
    drop(first);
    for (key, arrival) in [
        (KEY, "lost"),
        ("another key of thirty-two bytes!", "unknown"),
    ] {
        let second = Server::with("testbed", &[], key);
        let mut again = second.client();
        again.jar = client.jar.clone();
        assert_eq!(again.arrival(), arrival);
        assert_eq!(again.get("/visits").body, "visit 1", "a new session");
        assert_ne!(again.jar, client.jar, "and a new cookie");
    }
}

#[test]
fn flags_beside_a_configuration_are_refused_with_status_2() {
    let arguments = ["--config", "sessile.toml", "--idle", "5m"];
    let (code, said) = refusal("testbed", &arguments, KEY);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--idle can't stand beside --config"),
        "{said}"
    );
}

#[test]
fn a_weak_key_is_refused_without_being_shown() {
    let (code, said) = refusal("testbed", &[], "short");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("SESSILE_KEY") && said.contains("32"),
        "{said}"
    );
    assert!(!said.contains("short\""), "{said}");
}

#[test]
fn a_token_without_a_good_key_is_refused_without_the_key_being_shown() {
    for (key, why) in [
        ("c2hvcnQ", "has 5 bytes"),
        ("no+base64", "base64url"),
        ("", "bytes"),
    ] {
        let (code, said) = refusal("testbed", &["--strategy=token"], key);
        assert_eq!(code, Some(1), "{said}");
        let names_it = said.contains("SESSILE_JWT_KEY") && said.contains(why);
        assert!(names_it, "{said}");
        assert!(key.is_empty() || !said.contains(key), "{said}");
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let server = Server::start("quickstart");
    let (code, said) = sessile_e2e::run_on(server.port, "quickstart");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&server.port.to_string()), "{said}");
}
