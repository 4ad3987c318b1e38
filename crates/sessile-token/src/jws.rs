//! Signed: JWS in the compact form (RFC 7515).

use sessile_core::{Result, Timestamp};

use crate::base64::{self, Scratch};
use crate::compact::parts;
use crate::header::{Header, SIGNED};
use crate::keys::{Entry, Keyed as _, TokenKeys};

/// The payload of a session that one of the keys signed, and until when that key verifies; mostly
/// it begins with `usual`. Nothing of it was looked at before.
pub(crate) fn open<'a>(
    keys: &TokenKeys,
    text: &[u8],
    usual: &str,
    now: Timestamp,
    scratch: &'a mut Scratch,
) -> Option<(&'a [u8], Option<Timestamp>)> {
    let [header, payload, signature] = parts(text)?;
    let key = match keys.find_by_header(header, now) {
        Some(key) => {
            key.expect(usual);
            key
        }
        None => {
            let header = Header::parse(header)?;
            header.is(SIGNED).then_some(())?;
            // The name finds the key, and the key says the algorithm (RFC 8725, section 3.1). One
            // without a name is not tried with every key: it is none of ours.
            let key = keys.find(header.kid.as_deref()?, now)?;
            (key.algorithm().as_str() == header.alg).then_some(key)?
        }
    };
    is_verified(key, text, signature).then_some(())?;
    Some((scratch.decode(payload)?, key.usage().retired_at))
}

/// The payload of whatever this key signed.
pub(crate) fn verify_with(key: &Entry, text: &[u8]) -> Option<Vec<u8>> {
    let [header, payload, signature] = parts(text)?;
    let header = Header::parse(header)?;
    (key.algorithm().as_str() == header.alg).then_some(())?;
    is_verified(key, text, signature).then_some(())?;
    base64::decode(payload)
}

fn is_verified(key: &Entry, text: &[u8], signature: &[u8]) -> bool {
    let message = &text[..text.len() - signature.len() - 1];
    key.verify(message, signature)
}

/// Signs the claims of a session, which mostly begin with `usual` when they are encoded.
pub(crate) fn sign(keys: &TokenKeys, claims: &[u8], usual: &str, now: Timestamp) -> Result<String> {
    let key = keys.signer(now)?;
    key.expect(usual);
    let mut text = String::with_capacity(length(key, claims.len()));
    text.push_str(&key.header);
    text.push('.');
    base64::encode_to(claims, &mut text);
    key.sign(&mut text)?;
    Ok(text)
}

/// How long the token of so many bytes of claims is.
pub(crate) fn length(key: &Entry, claims: usize) -> usize {
    key.header.len() + base64::encoded_len(claims) + base64::encoded_len(key.signature_len()) + 2
}
