//! `token`: nanoseconds to verify a signed token and find the session in it, beside the least that anybody has to
//! do for one: the MAC, base64, and reading a JSON of one field, of a token that is as long.
//!
//! The session has one key, so that the token is about as short as one gets.

use std::{hint::black_box, time::Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sessile::{
    Algorithm, Clock, HmacKey, Lifetime, Strategy, SystemClock, Token, TokenKeys,
    core::{Credential, Data, Presented, Record, Step},
};
use sha2::Sha256;

use crate::{stats, table};

const SECRET: [u8; 32] = *b"any 32 bytes that are not equal.";
const CARRIER: &str = "__Host-sid";
const BATCHES: usize = 200;
const TIMES: u32 = 2_000;

/// Nanoseconds, the fastest batch of each, interleaved.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// The token's length in bytes.
    pub length: usize,
    pub ours: f64,
    pub bare: f64,
}

impl Verified {
    pub fn ratio(&self) -> f64 {
        self.ours / self.bare
    }
}

pub fn measure() -> Verified {
    let key = HmacKey::new(Algorithm::HS256, SECRET).and_then(|key| key.named("k"));
    let token = Token::signed(TokenKeys::new(key.expect("a good key")));
    let token = token
        .issuer("a")
        .audience("b")
        .remember(0)
        .build()
        .expect("nothing is missing");
    let text = issued(&token);
    let bare = Bare::new(&text);

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES {
        ours.push(batch(|| opens(&token, black_box(&text))));
        theirs.push(batch(|| bare.reads(black_box(&bare.text))));
    }
    Verified {
        length: text.len(),
        ours: stats::min(&ours),
        bare: stats::min(&theirs),
    }
}

pub fn print(measured: &Verified) {
    let row = |name: &str, nanos: f64| vec![name.to_owned(), format!("{nanos:.0}")];
    table::print(
        &format!("Nanoseconds to verify a token of {} bytes", measured.length),
        &["", "minimum"],
        &[
            row("sessile, signed: the session in it", measured.ours),
            row("bare: MAC, base64, one field of JSON", measured.bare),
        ],
    );
}

fn batch(mut verifies: impl FnMut() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..TIMES {
        assert!(verifies(), "a good token");
    }
    start.elapsed().as_nanos() as f64 / f64::from(TIMES)
}

fn issued(token: &Token) -> String {
    let credential = Credential::random();
    let mut record = Record::new(&credential, SystemClock.now(), &Lifetime::default());
    record.data = Data::from_encoded(&[("n", "1")]).expect("a good name");
    token
        .issue(&record, &credential.verifier, CARRIER)
        .expect("a small session")
}

fn opens(token: &Token, text: &str) -> bool {
    let now = SystemClock.now();
    let presented = Presented {
        text: text.as_bytes(),
        carrier: CARRIER,
        arrived: now,
    };
    match token.open(&presented, now) {
        Step::Ready(opened) => opened
            .into_inner()
            .is_ok_and(|opened| opened.held().is_some()),
        Step::Waiting(_) => false,
    }
}

#[derive(Deserialize)]
struct Payload<'a> {
    data: &'a str,
}

struct Bare {
    key: Hmac<Sha256>,
    text: String,
}

impl Bare {
    /// As long as this token.
    fn new(like: &str) -> Self {
        let mut parts = like.split('.');
        let (header, payload) = (
            parts.next().expect("a header"),
            parts.next().expect("claims"),
        );
        let frame = r#"{"data":""}"#.len();
        let data = "x".repeat(payload.len() * 3 / 4 - frame);
        let json = format!(r#"{{"data":"{data}"}}"#);
        let encode = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
        let message = format!("{header}.{}", encode(json.as_bytes()));
        let key = Hmac::<Sha256>::new_from_slice(&SECRET).expect("any length");
        let tag = key.clone().chain_update(&message).finalize().into_bytes();
        let text = format!("{message}.{}", encode(&tag));
        assert_eq!(text.len(), like.len());
        Bare { key, text }
    }

    fn reads(&self, text: &str) -> bool {
        let decode = |text: &str| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok();
        let read = || {
            let (message, tag) = text.rsplit_once('.')?;
            let mac = self.key.clone().chain_update(message);
            mac.verify_slice(&decode(tag)?).ok()?;
            let payload = decode(message.split_once('.')?.1)?;
            let payload: Payload<'_> = serde_json::from_slice(&payload).ok()?;
            Some(!black_box(payload.data).is_empty())
        };
        read() == Some(true)
    }
}
