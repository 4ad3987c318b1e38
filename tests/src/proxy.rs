//! A proxy before a server: it counts round trips, and does what networks do.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A TCP proxy on a port of its own, whatever is spoken through it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    round_trips: AtomicU64,
    delay: AtomicU64,
    drops_replies: AtomicBool,
    refuses: AtomicBool,
    is_over: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy before the server on this port of the loopback interface.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.is_over.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client
                    && !shared.refuses.load(Ordering::SeqCst)
                {
                    // A server that is down: the client is let go.
                    let _ = connect(client, to, &shared);
                }
            }
        });
        Proxy { port, state }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many round trips there were so far: how often a client spoke after the server had.
    pub fn round_trips(&self) -> u64 {
        self.state.round_trips.load(Ordering::SeqCst)
    }

    /// From now on, each reply takes so much longer.
    pub fn delay_replies(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.state.delay.store(millis, Ordering::SeqCst);
    }

    /// From now on, replies are lost, or not any more. The connections stay.
    pub fn drop_replies(&self, drop: bool) {
        self.state.drops_replies.store(drop, Ordering::SeqCst);
    }

    /// From now on, new connections are closed at once, or not any more.
    pub fn refuse(&self, refuse: bool) {
        self.state.refuses.store(refuse, Ordering::SeqCst);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        let mut streams = self
            .state
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for stream in streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn connect(client: TcpStream, to: u16, state: &Arc<State>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut streams = state.streams.lock().unwrap_or_else(PoisonError::into_inner);
    streams.extend([client.try_clone()?, server.try_clone()?]);
    drop(streams);

    // Whether the client was the last to speak.
    let asked = Arc::new(AtomicBool::new(false));
    let (from, into) = (client.try_clone()?, server.try_clone()?);
    let (counted, spoken) = (state.clone(), asked.clone());
    thread::spawn(move || {
        pump(from, into, |_| {
            if !spoken.swap(true, Ordering::SeqCst) {
                counted.round_trips.fetch_add(1, Ordering::SeqCst);
            }
            true
        });
    });
    let state = state.clone();
    thread::spawn(move || {
        pump(server, client, |_| {
            wait(Duration::from_millis(state.delay.load(Ordering::SeqCst)));
            asked.store(false, Ordering::SeqCst);
            !state.drops_replies.load(Ordering::SeqCst)
        });
    });
    Ok(())
}

/// Copies until an end is closed, then closes both. What `pass` does not let pass is lost.
fn pump(mut from: TcpStream, mut into: TcpStream, mut pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 18];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if pass(&buffer[..length]) && into.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = into.shutdown(Shutdown::Both);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a slow network is made of waiting"
)]
fn wait(time: Duration) {
    if !time.is_zero() {
        thread::sleep(time);
    }
}
