//! A PostgreSQL server of one's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Daemon, Folder, eventually, free_port, program};

/// A server on a free port of the loopback, with a data directory of its own. Ends with its
/// handle.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder: the server goes first.
    daemon: Daemon,
    folder: Folder,
    port: u16,
    settings: Vec<String>,
}

impl Postgres {
    /// A new server that keeps what it acknowledged over a crash of its process, though not over
    /// one of the machine: fast enough for tests.
    ///
    /// # Panics
    ///
    /// If there is no PostgreSQL here, or it does not start.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// A new server; `durable` ones wait for the disk before they acknowledge.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(durable: bool) -> Self {
        let fsync = if durable { "on" } else { "off" };
        Self::with_settings(&[&format!("fsync={fsync}")])
    }

    /// A new server that counts statements, in the view `pg_stat_statements`, once somebody has
    /// created the extension of that name.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_counting() -> Self {
        Self::with_settings(&["fsync=off", "shared_preload_libraries=pg_stat_statements"])
    }

    fn with_settings(settings: &[&str]) -> Self {
        let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let folder = Folder::new("postgres");
        if is_root() {
            let chown = Command::new("chown")
                .arg("postgres:")
                .arg(folder.path())
                .status();
            assert!(
                chown.is_ok_and(|status| status.success()),
                "the folder needs another owner"
            );
        }
        let made = command("initdb")
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "initdb failed");
        let port = free_port();
        let daemon = run(folder.path(), port, &settings);
        let mut server = Postgres {
            daemon,
            folder,
            port,
            settings,
        };
        server.wait();
        server
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills it, without a chance to say good-bye.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Starts it again on the same port, and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.daemon.kill();
        self.daemon = run(self.folder.path(), self.port, &self.settings);
        self.wait();
    }

    /// What a dump of its database holds.
    ///
    /// # Panics
    ///
    /// If it can't be dumped.
    pub fn dump(&self) -> String {
        let output = command("pg_dump")
            .arg(self.url())
            .output()
            .expect("pg_dump runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait(&mut self) {
        let port = self.port.to_string();
        eventually("PostgreSQL takes connections", || {
            if !self.daemon.is_running() {
                // One that was killed leaves processes behind, which take a moment to notice.
                self.daemon = run(self.folder.path(), self.port, &self.settings);
            }
            let mut ask = command("pg_isready");
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            ask.status()
                .is_ok_and(|status| status.success())
                .then_some(())
        });
    }
}

fn run(folder: &Path, port: u16, settings: &[String]) -> Daemon {
    let mut server = command("postgres");
    server
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "max_connections=200",
        &format!("unix_socket_directories={}", folder.display()),
    ] {
        server.args(["-c", setting]);
    }
    for setting in settings {
        server.args(["-c", setting]);
    }
    Daemon::start(&mut server, &folder.join("log"))
}

/// One of its programs, as a user that it agrees to run as.
fn command(name: &str) -> Command {
    let path = find(name).unwrap_or_else(|| panic!("{name} is not installed"));
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "--",
        ]);
        command.arg(path);
        command
    } else {
        Command::new(path)
    };
    // The user that it becomes may not be allowed to be where the tests run.
    command.current_dir("/");
    command
}

/// The newest one that is installed: Debian keeps them off the path.
fn find(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut folders: Vec<_> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    let folders: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
    program(name, &folders)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
