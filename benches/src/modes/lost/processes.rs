//! The processes: one Redis, and the servers of a contestant. Each ends with its handle.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::CHILD;

/// A `redis-server` that keeps nothing, on a free port of the loopback interface.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    folder: PathBuf,
    url: String,
}

impl Redis {
    pub fn start() -> Self {
        let folder = env::temp_dir().join(format!("sessile-bench-lost-{}", process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command
            .spawn()
            .expect("`lost` and `backed` need the program redis-server");
        let redis = Self {
            process: Process(child),
            folder,
            url: format!("redis://127.0.0.1:{port}"),
        };
        redis.ready(port)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for its answer to a ping, for at most ten seconds.
    fn ready(mut self, port: u16) -> Self {
        for _ in 0..500 {
            if ping(port).is_ok_and(|pong| pong) && self.process.is_running() {
                return self;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("redis-server does not answer on port {port}");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.end();
        // Only what is left over in a temporary folder depends on it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One process of a contestant: this program again.
#[derive(Debug)]
pub struct Server {
    /// Held for its end.
    _process: Process,
    port: u16,
}

impl Server {
    pub fn start(contestant: &str, redis: &str) -> Self {
        let child = Command::new(env::current_exe().expect("the path of this program"))
            .args([CHILD, contestant, redis])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let mut process = Process(child);
        let mut line = String::new();
        let output = process.0.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the first line of a server");
        let port = line.trim().parse();
        Self {
            _process: process,
            port: port.unwrap_or_else(|_| panic!("{contestant} does not start")),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A child process, killed with its handle.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

fn ping(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"PING\r\n")?;
    let mut pong = [0; 7];
    stream.read_exact(&mut pong)?;
    Ok(pong == *b"+PONG\r\n")
}
