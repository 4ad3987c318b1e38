//! `rediss://`: a real handshake.

use std::env;
use std::path::Path;
use std::process::Command;

use sessile_core::{ErrorKind, Store as _};
use sessile_e2e::{Folder, RedisServer, free_port};
use sessile_redis::RedisStore;

const URL: &str = "SESSILE_TEST_REDISS_URL";

#[tokio::test]
async fn only_a_server_whose_certificate_the_system_trusts_is_believed() {
    if let Ok(url) = env::var(URL) {
        // Run by itself, with other certificates.
        RedisStore::connect(&url).unwrap().ping().await.unwrap();
        return;
    }
    let folder = Folder::new("tls");
    certify(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = free_port();
    let _server = RedisServer::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://127.0.0.1:{port}");

    let error = RedisStore::connect(&url).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    // The certificates of the system are chosen by a variable of the process.
    let name = "redis::tls::only_a_server_whose_certificate_the_system_trusts_is_believed";
    let again = Command::new(env::current_exe().unwrap())
        .args([name, "--exact"])
        .env(URL, &url)
        .env("SSL_CERT_FILE", file("ca.pem"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(
        again.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// Makes an authority and a certificate for 127.0.0.1.
fn certify(folder: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        let output = command
            .args(arguments.split(' '))
            .current_dir(folder)
            .output();
        let output = output.expect("openssl on the PATH");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 30"
    ));
    openssl(&format!(
        "req -new {key} -keyout server.key -out server.csr -subj /CN=server"
    ));
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 30 -extfile names",
    );
}
