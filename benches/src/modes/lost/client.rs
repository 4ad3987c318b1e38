//! The client: a connection per request, the cookie given by the caller, no retries.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::contestants::pair;

/// How long a request may take, from the connection to the last byte of the answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub port: u16,
}

/// A connection that has not been used yet.
#[derive(Debug)]
pub struct Connection(TcpStream);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The `name=value` of the last `Set-Cookie`.
    pub cookie: Option<String>,
    pub body: String,
}

impl Client {
    /// Connects and asks for what only reads.
    pub async fn get(self, path: &str, cookie: Option<&str>) -> io::Result<Answer> {
        self.connect().await?.send("GET", path, cookie).await
    }

    /// Connects and asks for what writes.
    pub async fn post(self, path: &str, cookie: Option<&str>) -> io::Result<Answer> {
        self.connect().await?.post(path, cookie).await
    }

    /// Connects, to ask later.
    pub async fn connect(self) -> io::Result<Connection> {
        let address = (Ipv4Addr::LOCALHOST, self.port);
        let stream = timeout(DEADLINE, TcpStream::connect(address)).await??;
        Ok(Connection(stream))
    }
}

impl Connection {
    /// Asks for what writes.
    pub async fn post(self, path: &str, cookie: Option<&str>) -> io::Result<Answer> {
        self.send("POST", path, cookie).await
    }

    /// Sends the request and reads the answer to its end.
    async fn send(self, method: &str, path: &str, cookie: Option<&str>) -> io::Result<Answer> {
        let cookie = cookie.map_or_else(String::new, |pair| format!("Cookie: {pair}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        timeout(DEADLINE, self.exchange(&request)).await?
    }

    async fn exchange(mut self, request: &str) -> io::Result<Answer> {
        self.0.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await?;
        parse(&answer)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
    }
}

impl Answer {
    pub fn is_error(&self) -> bool {
        self.status >= 400
    }
}

/// The handlers answer with short strings, which no server sends in chunks.
fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let cookie = lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .last()
        .map(|(_, value)| pair(value).to_owned());
    Some(Answer {
        status,
        cookie,
        body: body.to_owned(),
    })
}
