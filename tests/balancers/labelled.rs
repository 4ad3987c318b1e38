//! Nodes as a balancer sees them: each answers its label, and sets a cookie that starts with it.
//!
//! One is a port, it can be killed or unready, and it comes back on the same port. It also speaks
//! a WebSocket and sends events.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use sessile_e2e::eventually;

use crate::streams;

pub(crate) struct Node {
    pub(crate) label: &'static str,
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    dead: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
    /// How many requests to `/hold` were begun.
    begun: AtomicUsize,
    /// What `/ready` is answered with, if not 200.
    unready: AtomicU16,
    /// How many events may be sent.
    events: AtomicUsize,
}

impl Node {
    pub(crate) fn start(label: &'static str) -> Node {
        Node::listen(label, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
    }

    fn listen(label: &'static str, listener: TcpListener) -> Node {
        let state = Arc::<State>::default();
        let port = listener.local_addr().unwrap().port();
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut connections = shared.connections.lock().unwrap();
                if shared.dead.load(Ordering::SeqCst) {
                    break;
                }
                connections.push(stream.try_clone().unwrap());
                let state = shared.clone();
                // A connection that breaks is the other side's business.
                thread::spawn(move || drop(serve(label, &state, stream)));
            }
        });
        Node { label, port, state }
    }

    /// As if the process was killed: nobody listens any more, and every connection is closed.
    pub(crate) fn kill(&self) {
        self.state.dead.store(true, Ordering::SeqCst);
        // Wakes who waits for connections, who then closes the port.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            thread::yield_now();
        }
        for stream in self.state.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Comes back, on the same port.
    pub(crate) fn revive(&mut self) {
        // A connection of somebody's may have got the port meanwhile.
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).ok();
        let listener = eventually("the port is free again", bind);
        *self = Node::listen(self.label, listener);
    }

    /// From now on `/ready` is answered with this status, and everything else as before.
    pub(crate) fn answer_ready_with(&self, status: u16) {
        self.state.unready.store(status, Ordering::SeqCst);
    }

    /// Lets whoever listens for events have one more.
    pub(crate) fn send_event(&self) {
        self.state.events.fetch_add(1, Ordering::SeqCst);
    }

    /// How many requests to `/hold` were begun here.
    pub(crate) fn begun(&self) -> usize {
        self.state.begun.load(Ordering::SeqCst)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if !self.state.dead.load(Ordering::SeqCst) {
            self.kill();
        }
    }
}

fn serve(label: &str, state: &State, stream: TcpStream) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(("content-length", value)) = line.to_ascii_lowercase().split_once(':') {
                length = value.trim().parse().unwrap_or(0);
            }
            head += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        if head.contains(" /hold ") {
            state.begun.fetch_add(1, Ordering::SeqCst);
            // Never answers; ends when it is killed, or the balancer gives up.
            return reader.read_to_end(&mut body).map(drop);
        }
        if head.contains(" /events ") {
            return streams::send_events(label, writer, &state.events);
        }
        if head.contains(" /socket ") {
            return streams::echo(label, writer, reader);
        }
        let unready = state.unready.load(Ordering::SeqCst);
        if unready != 0 && head.contains(" /ready ") {
            let answer = format!("HTTP/1.1 {unready} Unready\r\ncontent-length: 0\r\n\r\n");
            writer.write_all(answer.as_bytes())?;
            continue;
        }
        // A node issues its credential to whoever does not present one of its own.
        let own = head.contains(&format!("__Host-sid={label}."));
        let cookie = if own || head.contains(" /ready ") {
            String::new()
        } else {
            format!("set-cookie: __Host-sid={label}.x.y; Path=/; Secure; HttpOnly\r\n")
        };
        let length = label.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{cookie}\r\n{label}");
        writer.write_all(answer.as_bytes())?;
    }
}
