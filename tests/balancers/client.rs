//! A client that asks one thing over one connection, and one that keeps its connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without one.
    pub(crate) status: u16,
    /// The credential that it sets.
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

/// Sends this value of the session's cookie, if any, and waits for the answer.
pub(crate) fn ask(port: u16, method: &str, path: &str, cookie: Option<&str>) -> Answer {
    let cookie = cookie.map(|value| format!("cookie: a=1; __Host-sid={value}; b=2\r\n"));
    let cookie = cookie.unwrap_or_default();
    let body = if method == "POST" { "hello" } else { "" };
    let length = if body.is_empty() {
        ""
    } else {
        "content-length: 5\r\n"
    };
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: example.org\r\nconnection: close\r\n{cookie}{length}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A connection that is reset counts as one that is closed.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let cookie = head.split_once("__Host-sid=").map(|(_, rest)| {
        let value = rest.split([';', '\r']).next().unwrap_or_default();
        value.to_owned()
    });
    Answer {
        status: status.unwrap_or(0),
        cookie,
        body: body.trim().to_owned(),
    }
}

/// A client that asks again and again over the same connection, like a browser.
#[derive(Debug)]
pub(crate) struct Keeping {
    port: u16,
    reader: Option<BufReader<TcpStream>>,
    /// The value of the session's cookie.
    pub(crate) cookie: String,
    /// How many connections it took.
    pub(crate) connections: usize,
}

impl Keeping {
    pub(crate) fn new(port: u16, cookie: String) -> Self {
        Keeping {
            port,
            reader: None,
            cookie,
            connections: 0,
        }
    }

    /// Asks, and reads the answer, whose body has to say its length.
    pub(crate) fn ask(&mut self, method: &str, path: &str) -> io::Result<(u16, String)> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => {
                self.connections += 1;
                BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?)
            }
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: example.org\r\ncookie: __Host-sid={}\r\ncontent-length: 0\r\n\r\n",
            self.cookie
        );
        reader.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length, mut stays) = (0, 0, true);
        for at in 0.. {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if at == 0 {
                status = line
                    .split(' ')
                    .nth(1)
                    .and_then(|it| it.parse().ok())
                    .unwrap_or(0);
            } else if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            match (name.to_ascii_lowercase().as_str(), value) {
                ("content-length", value) => length = value.parse().unwrap(),
                ("connection", "close") => stays = false,
                ("set-cookie", value) => {
                    let value = value.strip_prefix("__Host-sid=").unwrap();
                    self.cookie = value.split(';').next().unwrap().to_owned();
                }
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        self.reader = stays.then_some(reader);
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
