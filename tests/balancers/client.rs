//! A client that asks one thing over one connection.

use std::io::{Read as _, Write as _};
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
