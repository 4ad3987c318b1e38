//! The programs, built once for all tests.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// Where each program of the workspace is. All of them at once, as everybody else builds them:
/// a build of one alone has other features, and would compile their dependencies again.
static PROGRAMS: LazyLock<Option<BTreeMap<String, PathBuf>>> = LazyLock::new(|| {
    let mut build = Command::new(env!("CARGO"));
    // What cargo says of these tests, and a build script would take for a change.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    let output = build
        .args(["build", "--workspace", "--bins"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    let programs = messages.lines().filter_map(program).collect();
    output.status.success().then_some(programs)
});

fn program(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let name = message["target"]["name"].as_str()?;
    Some((name.to_owned(), message["executable"].as_str()?.into()))
}

/// The path of a program of this workspace.
pub fn built(name: &str) -> &'static Path {
    let programs = PROGRAMS.as_ref().expect("the workspace builds");
    let found = programs.get(name);
    found.unwrap_or_else(|| panic!("no program {name} in this workspace"))
}

/// A program of the machine, if it is there.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
