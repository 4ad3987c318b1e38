//! Base64url without padding, the one canonical form of it only (RFC 7515, section 2).

use std::mem::MaybeUninit;

use base64_simd::{AppendBase64Encode, AsOut as _, Out, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::compact::LONGEST_BEARER;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub(crate) fn encode_to(bytes: impl AsRef<[u8]>, text: &mut impl AppendBase64Encode) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// Padding, spaces, the other alphabet and bits behind the end are all refused: else one token had
/// several texts.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// The bytes of a secret that somebody wrote down, without the form's strictness: the other alphabet
/// and padding too, since `openssl rand -base64 32` gives them.
pub(crate) fn decode_secret(text: &str) -> Option<Vec<u8>> {
    let url_safe = |byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => byte,
    };
    let text = text.trim().trim_end_matches('=').bytes().map(url_safe);
    let text: Zeroizing<Vec<u8>> = Zeroizing::new(text.collect());
    decode(&*text)
}

/// As [`decode`], where the value is to have exactly `N` bytes.
pub(crate) fn decode_array<const N: usize>(text: impl AsRef<[u8]>) -> Option<[u8; N]> {
    let text = text.as_ref();
    (text.len() == encoded_len(N)).then_some(())?;
    let mut bytes = [0; N];
    URL_SAFE_NO_PAD
        .decode(text, bytes.as_mut_slice().as_out())
        .ok()?;
    Some(bytes)
}

/// Room for what the longest token holds, so that reading one needs no allocation.
pub(crate) struct Scratch([MaybeUninit<u8>; decoded_len(LONGEST_BEARER)]);

impl Scratch {
    pub(crate) const fn new() -> Self {
        Scratch([MaybeUninit::uninit(); _])
    }

    /// As [`decode`](self::decode), into this room. `None` too for what has not enough.
    pub(crate) fn decode(&mut self, text: &[u8]) -> Option<&mut [u8]> {
        let room = self.0.get_mut(..decoded_len(text.len()))?;
        URL_SAFE_NO_PAD
            .decode(text, Out::from_uninit_slice(room))
            .ok()
    }
}

/// So many characters encode so many bytes.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// So many bytes fit into so many characters.
pub(crate) const fn decoded_len(characters: usize) -> usize {
    characters * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_either_alphabet() {
        for text in ["--__AA", "++//AA==", "++//AA\n", " --__AA=="] {
            assert_eq!(
                decode_secret(text).unwrap(),
                [0xfb, 0xef, 0xff, 0],
                "{text:?}"
            );
        }
        assert_eq!(decode_secret("a b"), None);
    }

    #[test]
    fn one_text_is_one_value_and_one_value_one_text() {
        assert_eq!(decode("AQ").unwrap(), [1]);
        for bad in [
            "AR", "A", "AQ=", "AQ==", " AQ", "AQ\n", "A+", "A/", "A.", "é",
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        for bytes in 0..9 {
            assert_eq!(encode(vec![255; bytes]).len(), encoded_len(bytes));
            assert_eq!(decoded_len(encoded_len(bytes)), bytes);
        }
    }
}
