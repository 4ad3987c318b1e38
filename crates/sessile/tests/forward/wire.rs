//! A client that writes its request as text and reads the response as it comes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than anything takes that is not stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> Wire {
        Wire(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything until the other side closes, or one read at a time until `end` is there.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        let reading = async {
            while end.is_empty() || !String::from_utf8_lossy(&read).contains(end) {
                if self.0.read_buf(&mut read).await.unwrap() == 0 {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("not stuck");
        String::from_utf8(read).unwrap()
    }
}

/// Sends one request, of which `head` is the request line and lines beside `Host`, and reads the
/// whole response.
pub(crate) async fn ask(address: SocketAddr, head: &str, body: &str) -> String {
    let mut wire = Wire::to(address).await;
    let (line, rest) = head.split_once('\n').unwrap_or((head, ""));
    let mut text = format!("{line} HTTP/1.1\r\nhost: example.org\r\nconnection: close\r\n");
    for line in rest.lines() {
        text += &format!("{}\r\n", line.trim());
    }
    if !body.is_empty() {
        text += &format!("content-length: {}\r\n", body.len());
    }
    wire.send(&(text + "\r\n" + body)).await;
    wire.read_until("").await
}

/// The credential that a response sets.
pub(crate) fn credential(response: &str) -> &str {
    let (_, rest) = response.split_once("__Host-sid=").expect("a cookie is set");
    rest.split(';').next().unwrap()
}

pub(crate) fn status(response: &str) -> u16 {
    let status = response.split(' ').nth(1).expect("a status");
    status.parse().unwrap()
}

pub(crate) fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").expect("a head").1
}
