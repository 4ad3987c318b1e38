//! A small blocking HTTP/1.1 client with a cookie jar. It sends each cookie back whatever its
//! attributes say, and opens a connection for every request; [`KeptAlive`](crate::KeptAlive) is one
//! that does not.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A client and its jar; a clone is another one whose jar holds the same.
#[derive(Clone, Debug)]
pub struct Client {
    port: u16,
    patience: Duration,
    /// The cookies by name.
    pub jar: BTreeMap<String, String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, its chunks joined.
    pub body: String,
    /// How many chunks the body came in; none if it was not chunked.
    pub chunks: usize,
}

impl Client {
    /// A client of the server on this port, with an empty jar.
    pub fn new(port: u16) -> Self {
        Client {
            port,
            patience: Duration::from_secs(30),
            jar: BTreeMap::new(),
        }
    }

    /// The same client, and its jar, on the server of another port.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Client {
            port,
            ..self.clone()
        }
    }

    /// How long it waits for the next piece of an answer. Half a minute, unless told otherwise.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Client { patience, ..self }
    }

    /// A `GET`.
    pub fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], "")
    }

    /// A `POST` without a body.
    pub fn post(&mut self, path: &str) -> Response {
        self.send("POST", path, &[], "")
    }

    /// Sends what a browser's form sends: the values are to be percent-encoded.
    pub fn form(&mut self, path: &str, fields: &str) -> Response {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[kind], fields)
    }

    /// Sends JSON.
    pub fn json(&mut self, method: &str, path: &str, body: &str) -> Response {
        let kind = ("content-type", "application/json");
        self.send(method, path, &[kind], body)
    }

    /// The testbed's view of this client.
    pub fn whoami(&mut self) -> Value {
        self.get("/whoami").json()
    }

    /// In which state the server found this client's session.
    pub fn arrival(&mut self) -> String {
        self.whoami()["arrival"].as_str().unwrap().to_owned()
    }

    /// One request, one answer; the jar learns from it.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// The same, where the server may be away or go away.
    pub fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Response> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(self.patience))?;
        let close = [("connection", "close")];
        let headers: Vec<_> = close.iter().chain(headers).copied().collect();
        stream.write_all(self.request(method, path, &headers, body).as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        if answer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.learn(&answer))
    }

    /// The text of a request.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-length: {}\r\n",
            self.port,
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.jar.is_empty() {
            let pairs = self
                .jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let pairs: Vec<_> = pairs.collect();
            head += &format!("cookie: {}\r\n", pairs.join("; "));
        }
        format!("{head}\r\n{body}")
    }

    /// What an answer says; the jar learns from it.
    pub(crate) fn learn(&mut self, answer: &[u8]) -> Response {
        let response = Response::parse(answer);
        for line in response.all("set-cookie") {
            self.keep(line);
        }
        response
    }

    fn keep(&mut self, line: &str) {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.to_ascii_lowercase().contains("max-age=0") {
            self.jar.remove(name);
        } else {
            self.jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Response {
    fn parse(answer: &[u8]) -> Response {
        let answer = std::str::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        let mut response = Response {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: body.to_owned(),
            chunks: 0,
        };
        if response.header("transfer-encoding") == Some("chunked") {
            response.unchunk();
        }
        response
    }

    fn unchunk(&mut self) {
        let raw = std::mem::take(&mut self.body);
        let mut rest = raw.as_str();
        loop {
            let (size, after) = rest.split_once("\r\n").unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return;
            }
            self.body += &after[..size];
            self.chunks += 1;
            rest = &after[size + 2..];
        }
    }

    /// Every header of this name, given in lower case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.headers.iter().filter(move |header| header.0 == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// The first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Whether it sets or removes a cookie.
    pub fn sets_cookie(&self) -> bool {
        self.header("set-cookie").is_some()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// Checks the status and hands itself on, for the rest of the line.
    #[track_caller]
    pub fn is(self, status: u16) -> Response {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Checks that this is the testbed's page for an error of that kind.
    #[track_caller]
    pub fn fails_with(self, status: u16, kind: &str) {
        let response = self.is(status);
        assert_eq!(response.json(), serde_json::json!({ "error": kind }));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert!(!response.sets_cookie(), "{response:?}");
    }
}
