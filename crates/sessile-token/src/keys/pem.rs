//! The armour of PEM (RFC 7468): a label and bytes. What the bytes are is for others to say.

use base64_simd::STANDARD;
use zeroize::Zeroizing;

/// Takes the armour off the one block that the text is.
pub(crate) fn decode(text: &str) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let rest = text.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, end) = rest.split_once("-----END ")?;
    (end.strip_suffix("-----")? == label).then_some(())?;
    let body: Zeroizing<Vec<u8>> = Zeroizing::new(
        body.bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
    );
    let bytes = STANDARD.decode_to_vec(&*body).ok()?;
    Some((label, Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_of_one_label_is_read() {
        let block = " \r\n-----BEGIN PUBLIC KEY-----\r\nAQID\r\nBAUG\r\n-----END PUBLIC KEY-----\n";
        let (label, bytes) = decode(block).unwrap();
        assert_eq!((label, &bytes[..]), ("PUBLIC KEY", &[1, 2, 3, 4, 5, 6][..]));
        for bad in [
            "",
            "-----BEGIN A-----\nAQID\n-----END B-----",
            "-----BEGIN A-----\nAQI\n-----END A-----",
            "-----BEGIN A-----\nAQID",
            "x-----BEGIN A-----\nAQID\n-----END A-----",
            &block.repeat(2),
        ] {
            assert!(decode(bad).is_none(), "{bad:?}");
        }
    }
}
