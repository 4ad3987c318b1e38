//! A client that keeps its connections open, for tests of very many requests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use crate::{Client, Response};

/// A [`Client`], and its connection to each server that it has asked.
#[derive(Debug)]
pub struct KeptAlive {
    client: Client,
    connections: BTreeMap<u16, BufReader<TcpStream>>,
}

impl KeptAlive {
    /// A client with this one's jar.
    pub fn new(client: Client) -> Self {
        KeptAlive {
            client,
            connections: BTreeMap::new(),
        }
    }

    /// A `GET` at the server of this port, which answers with a length and not in chunks.
    pub fn get(&mut self, port: u16, path: &str) -> Response {
        let connection = self.connections.entry(port).or_insert_with(|| {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::new(stream)
        });
        let request = self.client.request("GET", path, &[], "");
        let stream = connection.get_mut();
        stream.write_all(request.as_bytes()).unwrap();
        let answer = answer(connection);
        self.client.learn(&answer)
    }
}

/// Reads one answer and no byte more.
fn answer(connection: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = connection.read_line(&mut head).unwrap();
        assert_ne!(read, 0, "the connection was closed after {head:?}");
    }
    let lowered = head.to_ascii_lowercase();
    let mut lines = lowered.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.unwrap().trim().parse().unwrap();
    let mut answer = head.into_bytes();
    let start = answer.len();
    answer.resize(start + length, 0);
    connection.read_exact(&mut answer[start..]).unwrap();
    answer
}
