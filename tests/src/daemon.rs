//! A server as a child process with a folder of its own. Both end with their handles.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// A new folder, removed with its handle.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder; `name` is part of its name.
    ///
    /// # Panics
    ///
    /// If it can't be made.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        let path = std::env::temp_dir().join(format!("sessile-{name}-{id}-{count}"));
        fs::create_dir_all(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A server may still be closing its files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child process that writes to a log file. Killed with its handle.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command`; what it prints goes to the end of `log`.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let open = || {
            let file = File::options().create(true).append(true).open(log);
            file.unwrap_or_else(|why| panic!("{}: {why}", log.display()))
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap_or_else(|why| panic!("{}: {why}", command.get_program().display()));
        let log = log.to_owned();
        Daemon { child, log }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends it a signal, such as `TERM` or `STOP`.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let _ = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(id)
            .status();
    }

    /// Kills it, without a chance to say good-bye, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on at the moment.
///
/// # Panics
///
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("a free port").port()
}

/// A program on the `PATH` or in one of these folders.
pub fn program(name: &str, folders: &[&Path]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().map(|folder| (*folder).to_owned());
    folders
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "other processes have clocks of their own"
)]
pub fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// Asks until it is so, for at most 30 seconds.
///
/// # Panics
///
/// If it takes longer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(answer) = ask() {
            return answer;
        }
        pause(10);
    }
    panic!("{what}: not within 30 seconds");
}
