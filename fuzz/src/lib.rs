//! What the targets share: a key that the fuzzer has, too, so that it gets behind the signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sessile::core::{Opened, Presented};
use sessile::{
    Algorithm, HmacKey, SealingKey, SealingKeys, Strategy as _, Timestamp, Token, TokenBuilder,
    TokenKeys,
};
use sha2::Sha256;

/// The cookie.
pub const CARRIER: &str = "__Host-sid";
/// 2026-01-01T00:00:00Z in milliseconds.
const NOW: u64 = 1_767_225_600_000;

pub fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

fn secret() -> Vec<u8> {
    (0..32).collect()
}

fn built(builder: TokenBuilder) -> Token {
    let builder = builder.issuer("https://app.example");
    let token = builder.audience("https://app.example").build();
    token.expect("issuer and audience are there")
}

pub fn signed() -> Token {
    let key = HmacKey::new(Algorithm::HS256, secret()).and_then(|key| key.named("k"));
    built(Token::signed(TokenKeys::new(key.expect("a good key"))))
}

pub fn sealed() -> Token {
    let key = SealingKey::new(secret()).and_then(|key| key.named("k"));
    built(Token::sealed(SealingKeys::new(key.expect("a good key"))))
}

/// A signature for these two parts, as they travel.
pub fn tag(message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(&secret()).expect("any length will do");
    mac.chain_update(message).finalize().as_bytes().to_vec()
}

/// Opens a token. Without a revocation store it never waits.
pub fn open(token: &Token, text: &[u8]) -> Opened {
    let presented = Presented {
        text,
        carrier: CARRIER,
        arrived: now(),
    };
    ready(token.open(&presented, now())).expect("what a client sends is no error")
}

/// What is there without waiting.
pub fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("nothing waits here"),
    }
}

/// What was opened is written, and opened again the same.
pub fn check(token: &Token, opened: &Opened) {
    let Some(held) = opened.held() else { return };
    let again = token.issue(&held.record, &held.verifier, CARRIER);
    // Written anew it can be longer than a cookie, since what is sent may be denser than ours.
    let Ok(text) = again else { return };
    let again = open(token, text.as_bytes());
    let again = again.held().expect("what was made is good");
    assert_eq!(again.record.sid, held.record.sid);
    assert_eq!(again.record.subject, held.record.subject);
    assert_eq!(again.record.data, held.record.data);
    assert_eq!(again.record.version, held.record.version);
}
