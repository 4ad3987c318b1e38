//! curl with a cookie jar, as in the README.

use std::path::Path;
use std::process::Command;

use sessile_e2e::{Server, on_path};

use crate::support::skipped;

#[test]
fn curl_with_a_jar_counts_and_without_one_does_not() {
    if on_path("curl").is_none() {
        return skipped("curl_with_a_jar_counts_and_without_one_does_not", "no curl");
    }
    let server = Server::start("quickstart");
    let url = server.url("/visits");
    let curl = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*"]);
        let output = curl.args(arguments).arg(&url).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let jar = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("jar-{}", server.port));
    let _ = std::fs::remove_file(&jar);
    let file = jar.to_str().unwrap();
    assert_eq!(curl(&["-c", file, "-b", file]), "visit 1");
    assert_eq!(curl(&["-c", file, "-b", file]), "visit 2");
    assert_eq!(curl(&[]), "visit 1");
    assert_eq!(curl(&[]), "visit 1");
    let forged = curl(&["-i", "-b", "sid=forged"]);
    assert!(
        forged.contains("set-cookie: sid=s.") && forged.ends_with("visit 1"),
        "{forged}"
    );
    assert_eq!(curl(&["-c", file, "-b", file]), "visit 3");
    std::fs::remove_file(jar).unwrap();
}
