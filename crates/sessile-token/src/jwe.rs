//! Sealed: JWE in the compact form, `dir` and A256GCM (RFC 7516; RFC 7518, sections 4.5 and 5.3).

use rand::Rng as _;
use sessile_core::{Result, Timestamp};

use crate::base64::{self, Scratch};
use crate::compact::parts;
use crate::header::{Header, SEALED};
use crate::keys::{Keyed as _, NONCE, SealingKey, SealingKeys, TAG};

/// What a sealed token is for. It opens where all of this is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) audience: &'a str,
    pub(crate) carrier: &'a str,
}

/// The text that one of the keys sealed for this place, and until when that key opens.
pub(crate) fn open<'a>(
    keys: &SealingKeys,
    text: &[u8],
    place: Place<'_>,
    now: Timestamp,
    scratch: &'a mut Scratch,
) -> Option<(&'a [u8], Option<Timestamp>)> {
    let [header, wrapped, nonce, sealed, tag] = parts(text)?;
    // `dir`: the key is the one that both know, and none is sent.
    wrapped.is_empty().then_some(())?;
    let key = find(keys, header, place, now)?;
    let nonce: [u8; NONCE] = base64::decode_array(nonce)?;
    let tag: [u8; TAG] = base64::decode_array(tag)?;
    let text = key.open(nonce, header, scratch.decode(sealed)?, &tag)?;
    Some((text, key.usage().retired_at))
}

fn find<'a>(
    keys: &'a SealingKeys,
    text: &[u8],
    place: Place<'_>,
    now: Timestamp,
) -> Option<&'a SealingKey> {
    if let Some(key) = keys.find_by_header(text, place.audience, place.carrier, now) {
        return Some(key);
    }
    let header = Header::parse(text)?;
    let is_ours = header.is(SEALED)
        && header.alg == "dir"
        && header.enc.as_deref() == Some("A256GCM")
        && header.aud.as_deref() == Some(place.audience)
        && header.carrier.as_deref() == Some(place.carrier)
        && header.purpose.as_deref() == Some("session")
        && header.version == Some(1);
    is_ours.then_some(())?;
    keys.find(header.kid.as_deref()?, now)
}

/// Seals a text for this place.
pub(crate) fn seal(
    keys: &SealingKeys,
    claims: &mut [u8],
    place: Place<'_>,
    now: Timestamp,
) -> Result<String> {
    let key = keys.sealer(now)?;
    let mut text = key.header(place.audience, place.carrier).into_owned();
    let mut nonce = [0; NONCE];
    rand::rng().fill_bytes(&mut nonce);
    let tag = key.seal(nonce, text.as_bytes(), claims)?;
    text.reserve(base64::encoded_len(NONCE + claims.len() + TAG) + 6);
    text.push_str("..");
    base64::encode_to(nonce, &mut text);
    text.push('.');
    base64::encode_to(claims, &mut text);
    text.push('.');
    base64::encode_to(tag, &mut text);
    Ok(text)
}

/// How long the token of so many bytes of claims is.
pub(crate) fn length(key: &SealingKey, claims: usize, place: Place<'_>) -> usize {
    let header = key.header(place.audience, place.carrier).len();
    let rest = [NONCE, claims, TAG].map(base64::encoded_len);
    header + rest.iter().sum::<usize>() + 4
}
