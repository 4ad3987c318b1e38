//! A MariaDB server of one's own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Daemon, Folder, eventually, free_port, program};

/// A server on a free port of the loopback, with a data directory of its own. Ends with its
/// handle.
#[derive(Debug)]
pub struct MariaDb {
    // Before the folder: the server goes first.
    daemon: Daemon,
    folder: Folder,
    port: u16,
    durable: bool,
}

impl MariaDb {
    /// A new server that keeps what it acknowledged over a crash of its process, though not over
    /// one of the machine: fast enough for tests.
    ///
    /// # Panics
    ///
    /// If there is no MariaDB here, or it does not start.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// A new server; `durable` ones wait for the disk before they acknowledge.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(durable: bool) -> Self {
        let folder = Folder::new("mariadb");
        // Servers that start in a shared one remove each other's temporary tables.
        let temporary = folder.path().join("tmp");
        fs::create_dir(&temporary).expect("the folder takes another");
        let made = command("mariadb-install-db")
            .env("TMPDIR", &temporary)
            .arg("--no-defaults")
            .arg(format!(
                "--datadir={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--user={}", user()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "mariadb-install-db failed"
        );
        let init = "CREATE DATABASE IF NOT EXISTS sessile;\n\
                    CREATE USER IF NOT EXISTS 'sessile'@'%';\n\
                    GRANT ALL ON *.* TO 'sessile'@'%';\n";
        fs::write(folder.path().join("init.sql"), init).expect("the folder takes a file");
        let port = free_port();
        let daemon = run(folder.path(), port, durable);
        let mut server = MariaDb {
            daemon,
            folder,
            port,
            durable,
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
        format!("mysql://sessile@127.0.0.1:{}/sessile", self.port)
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
        self.daemon = run(self.folder.path(), self.port, self.durable);
        self.wait();
    }

    /// What a dump of its database holds.
    ///
    /// # Panics
    ///
    /// If it can't be dumped.
    pub fn dump(&self) -> String {
        let mut dump = command("mariadb-dump");
        let port = self.port.to_string();
        dump.args([
            "--no-defaults",
            "-u",
            "sessile",
            "-h",
            "127.0.0.1",
            "-P",
            &port,
        ]);
        let output = dump
            .args(["--hex-blob", "sessile"])
            .output()
            .expect("mariadb-dump runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait(&mut self) {
        let port = self.port.to_string();
        eventually("MariaDB takes connections", || {
            assert!(self.daemon.is_running(), "{}", self.daemon.log());
            let mut ask = command("mariadb-admin");
            ask.args([
                "--no-defaults",
                "-u",
                "sessile",
                "-h",
                "127.0.0.1",
                "-P",
                &port,
                "ping",
            ]);
            ask.stdout(Stdio::null()).stderr(Stdio::null());
            ask.status()
                .is_ok_and(|status| status.success())
                .then_some(())
        });
    }
}

fn run(folder: &Path, port: u16, durable: bool) -> Daemon {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut server = command("mariadbd");
    server
        .env("TMPDIR", file("tmp"))
        .arg("--no-defaults")
        .arg(format!("--user={}", user()))
        .args([
            format!("--datadir={}", file("data")),
            format!("--socket={}", file("socket")),
            format!("--pid-file={}", file("pid")),
            format!("--init-file={}", file("init.sql")),
            format!("--port={port}"),
            format!(
                "--innodb-flush-log-at-trx-commit={}",
                if durable { 1 } else { 2 }
            ),
        ]);
    server.args([
        "--bind-address=127.0.0.1",
        "--max-connections=300",
        "--skip-name-resolve",
    ]);
    Daemon::start(&mut server, &folder.join("log"))
}

fn command(name: &str) -> Command {
    let path = program(name, &[Path::new("/usr/sbin")]);
    Command::new(path.unwrap_or_else(|| panic!("{name} is not installed")))
}

fn user() -> String {
    let id = Command::new("id")
        .arg("-un")
        .output()
        .expect("everybody has a name");
    String::from_utf8_lossy(id.stdout.trim_ascii()).into_owned()
}
