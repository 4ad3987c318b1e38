//! Tokens of a running `testbed` and other libraries: `jwcrypto` and `joserfc` from PyPI, `jose`
//! from npm. Each verifies or opens ours, and makes one that is taken.
//!
//! `cargo xtask test --only interop` installs them under `target/tools`.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sessile_e2e::{Folder, KEY, Server, on_path};

/// Another library, and how it is run.
struct Library {
    name: &'static str,
    command: Command,
}

/// Those that are installed.
fn libraries() -> Vec<Library> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
    let (python, node) = (tools.join("interop/python"), tools.join("interop/node"));
    let mut found = Vec::new();
    for name in ["jwcrypto", "joserfc"] {
        if python.join(name).is_dir() {
            let mut command = Command::new(on_path("python3").unwrap_or_default());
            command
                .arg(here.join("jose_tools.py"))
                .env("PYTHONPATH", &python);
            found.push(Library { name, command });
        }
    }
    if node.join("node_modules/jose").is_dir() {
        let mut command = Command::new(on_path("node").unwrap_or_default());
        command.arg(here.join("jose_tools.mjs")).arg(&node);
        let name = "jose";
        found.push(Library { name, command });
    }
    let missing: Vec<_> = ["jwcrypto", "joserfc", "jose"]
        .into_iter()
        .filter(|name| !found.iter().any(|library| library.name == *name))
        .collect();
    if !missing.is_empty() {
        let mut out = std::io::stderr();
        let _ = writeln!(out, "SKIPPED {}: not installed", missing.join(", "));
    }
    found
}

impl Library {
    fn run(&mut self, task: &Value) -> Value {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = task.to_string();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", self.name);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A key of each kind; the pairs are those of RFC 8037, appendix A, and RFC 7515, appendix A.3.
fn keys() -> [(Value, &'static [&'static str]); 4] {
    [
        (
            json!({ "kty": "oct", "alg": "HS256", "kid": "secret", "k": KEY }),
            &[],
        ),
        (
            json!({
                "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed25519",
                "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }),
            &[],
        ),
        (
            json!({
                "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "p-256",
                "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            }),
            &[],
        ),
        (
            json!({ "kty": "oct", "alg": "A256GCM", "kid": "seal", "k": KEY }),
            &["--sealed"],
        ),
    ]
}

fn file(folder: &Folder, key: &Value) -> PathBuf {
    let file = folder.path().join("keys.json");
    fs::write(&file, json!({ "keys": [key] }).to_string()).unwrap();
    file
}

#[test]
fn other_libraries_take_our_tokens_and_theirs_are_taken() {
    let mut libraries = libraries();
    let folder = Folder::new("interop");
    for (key, flags) in keys() {
        let file = file(&folder, &key);
        let usual = ["--strategy=token", "--jwt-keys", file.to_str().unwrap()];
        let server = Server::with("testbed", &[&usual, flags].concat(), KEY);
        for library in &mut libraries {
            let mut client = server.client();
            client.post("/login/ada").is(204);
            client.json("PUT", "/set/note", "\"käse\"").is(204);
            let jwks = match flags {
                [] => client.get("/.well-known/jwks.json").is(200).json(),
                _ => json!({ "keys": [] }),
            };
            let told = library.run(&json!({
                "library": library.name, "jwk": key, "jwks": jwks,
                "token": client.jar["__Host-sid"], "key": "from", "value": library.name,
            }));
            assert_eq!(told["claims"]["sub"], "ada");
            assert_eq!(told["claims"]["aud"], "http://testbed");
            assert_eq!(told["claims"]["data"], json!({ "note": "käse" }));
            assert_eq!(told["header"]["kid"], key["kid"]);

            let theirs = told["token"].as_str().unwrap().to_owned();
            assert_ne!(theirs, client.jar["__Host-sid"]);
            client.jar.insert("__Host-sid".to_owned(), theirs);
            let who = client.whoami();
            assert_eq!(
                (&who["arrival"], &who["subject"]),
                (&json!("resumed"), &json!("ada")),
                "{} with {}",
                library.name,
                key["alg"]
            );
            assert_eq!(
                client.get("/all").json(),
                json!({ "from": library.name, "note": "käse" })
            );
            // And is ours to go on with.
            client.json("PUT", "/set/more", "1").is(204);
            assert_eq!(client.arrival(), "resumed");
            println!("{} {}: both ways", library.name, key["alg"]);
        }
    }
}
