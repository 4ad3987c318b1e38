//! Every file in `broken/` is refused, with the text in the file beside it.
//!
//! `SESSILE_REGENERATE=1 cargo test -p sessile --test config` writes those texts anew; read the
//! difference before you commit it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::read;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/broken");

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    files
}

fn said(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    match read(&text).and_then(|config| config.check()) {
        Ok(()) => "It was not refused.\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

/// The lines of both, those that differ marked.
fn difference(expected: &str, said: &str) -> String {
    let (expected, said): (Vec<_>, Vec<_>) = (expected.lines().collect(), said.lines().collect());
    let mut text = String::new();
    for line in &expected {
        let mark = if said.contains(line) { ' ' } else { '-' };
        writeln!(text, "{mark} {line}").unwrap();
    }
    for line in said.iter().filter(|line| !expected.contains(line)) {
        writeln!(text, "+ {line}").unwrap();
    }
    text
}

#[test]
fn every_broken_file_is_refused_in_the_words_beside_it() {
    let files = files();
    assert!(files.len() >= 40, "{} files are too few", files.len());
    let mut report = String::new();
    for file in &files {
        let (snapshot, said) = (file.with_extension("txt"), said(file));
        if std::env::var_os("SESSILE_REGENERATE").is_some() {
            std::fs::write(&snapshot, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
        if said.contains("It was not refused") || said != expected {
            let name = file.file_name().unwrap().display();
            writeln!(report, "{name}\n{}", difference(&expected, &said)).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn every_problem_has_a_path_that_the_file_can_have_and_says_what_to_write() {
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let error = read(&text).and_then(|config| config.check()).unwrap_err();
        for problem in error.problems() {
            let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(problem.path().chars().all(known), "{problem}");
            let verbs = [
                "write",
                "remove",
                "enable",
                "use ",
                "put ",
                "give ",
                "add ",
                "name ",
                "leave",
                "move ",
                "it starts with",
            ];
            let says = verbs.iter().any(|verb| problem.message().contains(verb));
            assert!(says, "{problem}");
        }
    }
}

#[test]
fn no_text_has_a_secret_of_its_file_in_it() {
    let secrets = [
        "hunter2",
        "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg",
        "EBESExQVFhcYGRobHB0eHwABAgMEBQYHCAkKCwwNDg8",
        "correct horse",
        "c2hvcnQ",
        "se-cr+et",
    ];
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let error = read(&text).and_then(|config| config.check()).unwrap_err();
        let shown = format!(
            "{error} {error:?} {:?}",
            sessile::Error::from(error_of(&text))
        );
        for secret in secrets {
            assert!(!shown.contains(secret), "{}: {shown}", file.display());
        }
    }
}

fn error_of(text: &str) -> sessile::ConfigError {
    read(text).and_then(|config| config.check()).unwrap_err()
}
