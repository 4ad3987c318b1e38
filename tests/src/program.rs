//! An example program as a process on a port of its own. It ends with its handle.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::build::built;
use crate::{Client, eventually, free_port};

/// A program of this workspace that listens on a port of its own.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// What it printed before and with the line that says it is ready.
    pub greeting: String,
    errors: Arc<Mutex<String>>,
}

/// The usual key of these tests.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

impl Server {
    /// Starts a program and waits until it listens.
    pub fn start(program: &str) -> Server {
        Server::with(program, &[], KEY)
    }

    /// Starts a program with these arguments and this key, of credentials and of tokens.
    pub fn with(program: &str, arguments: &[&str], key: &str) -> Server {
        // Somebody else can take the port between our look and the program's.
        for _ in 0..5 {
            let port = free_port();
            if let Some(server) = Server::try_start(program, arguments, key, port) {
                return server;
            }
        }
        panic!("{program} did not start");
    }

    /// Starts a program on this port, which somebody may hold for a moment.
    pub fn on(port: u16, program: &str, arguments: &[&str]) -> Server {
        eventually(program, || Server::try_start(program, arguments, KEY, port))
    }

    fn try_start(program: &str, arguments: &[&str], key: &str, port: u16) -> Option<Server> {
        let mut child = Command::new(built(program))
            .args(arguments)
            .env("PORT", port.to_string())
            .env("SESSILE_KEY", key)
            .env("SESSILE_JWT_KEY", key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = Arc::default();
        collect(child.stderr.take().unwrap(), Arc::clone(&errors));
        let lines = lines(child.stdout.take().unwrap());
        let mut server = Server {
            child,
            port,
            greeting: String::new(),
            errors,
        };
        let ready = format!("listening on http://127.0.0.1:{port}");
        while !server.greeting.contains(&ready) {
            let line = lines.recv_timeout(Duration::from_secs(20)).ok()?;
            server.greeting += &line;
            server.greeting.push('\n');
        }
        Some(server)
    }

    /// A client of this server with an empty jar.
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it wrote to standard error until now.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Sends the process a signal, such as `TERM` or `STOP`, by its own id.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Asks the process to stop, and waits until it did.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        eventually("the process ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads on to the end, so that the program never waits for a reader.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // Nobody listens any more once the program is ready.
            let _ = send.send(line);
        }
    });
    receive
}

fn collect(from: impl Read + Send + 'static, into: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
}

/// Runs a program that is expected to refuse its arguments: its status and what it said.
pub fn refusal(program: &str, arguments: &[&str], key: &str) -> (Option<i32>, String) {
    let mut command = Command::new(built(program));
    command
        .args(arguments)
        .env("SESSILE_KEY", key)
        .env("SESSILE_JWT_KEY", key);
    failure(&mut command, free_port())
}

/// Runs a program on a port that is taken: its status and what it said.
pub fn run_on(port: u16, program: &str) -> (Option<i32>, String) {
    failure(&mut Command::new(built(program)), port)
}

fn failure(command: &mut Command, port: u16) -> (Option<i32>, String) {
    let output = command.env("PORT", port.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}
