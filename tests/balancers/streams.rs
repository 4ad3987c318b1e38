//! Events and a WebSocket: both sides of what lasts longer than an answer.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The handshake that RFC 6455 has as its example, in section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTzaQ9kYGzzhZRbK+xOo=";

/// The first byte of a message that is one text frame.
const TEXT: u8 = 0x81;
/// Set in the second byte of what a client sends.
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [1, 2, 3, 4];

/// The node's side: an event is sent when there may be one more.
pub(crate) fn send_events(
    label: &str,
    mut writer: TcpStream,
    allowed: &AtomicUsize,
) -> io::Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    writer.write_all(head.as_bytes())?;
    for sent in 0.. {
        while allowed.load(Ordering::SeqCst) <= sent {
            thread::yield_now();
        }
        let event = format!("data: {label} {sent}\n\n");
        writer.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
    }
    Ok(())
}

/// The node's side: every text comes back with its label in front.
pub(crate) fn echo(label: &str, mut writer: TcpStream, mut reader: impl Read) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n"
    );
    writer.write_all(head.as_bytes())?;
    loop {
        let text = read_frame(&mut reader)?;
        write_frame(&mut writer, &format!("{label}: {text}"), None)?;
    }
}

/// The client's side of an answer that does not end.
pub(crate) struct Stream {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// Begins one, with this credential: the head of the answer is read.
    fn open(port: u16, path: &str, cookie: &str, headers: &str) -> (Stream, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: example.org\r\ncookie: __Host-sid={cookie}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        (Stream { stream, reader }, head)
    }

    pub(crate) fn events(port: u16, cookie: &str) -> Stream {
        let (stream, head) = Stream::open(port, "/events", cookie, "accept: text/event-stream\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        stream
    }

    pub(crate) fn socket(port: u16, cookie: &str) -> Stream {
        let headers = format!(
            "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n"
        );
        let (stream, head) = Stream::open(port, "/socket", cookie, &headers);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(ACCEPT), "{head}");
        stream
    }

    /// The next event, as soon as it is there.
    pub(crate) fn event(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.reader.read_line(&mut line).unwrap() > 0,
                "it broke off"
            );
            if let Some(event) = line.strip_prefix("data: ") {
                return event.trim_end().to_owned();
            }
        }
    }

    /// Says something, and waits for what comes back.
    pub(crate) fn say(&mut self, text: &str) -> String {
        write_frame(&mut self.stream, text, Some(MASK)).unwrap();
        read_frame(&mut self.reader).unwrap()
    }
}

/// Texts of up to 125 bytes, whose length fits into the second byte.
fn write_frame(stream: &mut TcpStream, text: &str, mask: Option<[u8; 4]>) -> io::Result<()> {
    let length = u8::try_from(text.len()).unwrap();
    let mut frame = vec![TEXT];
    match mask {
        None => frame.push(length),
        Some(mask) => {
            frame.push(MASKED | length);
            frame.extend(mask);
        }
    }
    let mask = mask.unwrap_or_default();
    let masked = text.bytes().zip(mask.into_iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    stream.write_all(&frame)
}

fn read_frame(reader: &mut impl Read) -> io::Result<String> {
    let (mut head, mut mask) = ([0; 2], [0; 4]);
    reader.read_exact(&mut head)?;
    assert_eq!(head[0], TEXT);
    if head[1] & MASKED != 0 {
        reader.read_exact(&mut mask)?;
    }
    let mut text = vec![0; usize::from(head[1] & !MASKED)];
    reader.read_exact(&mut text)?;
    let clear = text.into_iter().zip(mask.into_iter().cycle());
    let clear = clear.map(|(byte, mask)| byte ^ mask).collect();
    Ok(String::from_utf8(clear).unwrap())
}
