//! Base64url without padding, the one canonical form of it only (RFC 7515, section 2).

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub(crate) fn encode_to(bytes: impl AsRef<[u8]>, text: &mut String) {
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
