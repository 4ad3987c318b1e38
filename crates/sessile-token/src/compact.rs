//! The compact form: parts of base64url with points between them (RFC 7515 and 7516, section 7.1).

/// The longest token in a cookie, in bytes: what every browser keeps.
pub(crate) const LONGEST_COOKIE: usize = 4096;
/// The longest token in an `Authorization` header, in bytes.
pub(crate) const LONGEST_BEARER: usize = 8192;

/// The longest token by this carrier. Asked before anything is decoded.
pub(crate) fn longest(carrier: &str) -> usize {
    if carrier.eq_ignore_ascii_case("authorization") {
        LONGEST_BEARER
    } else {
        LONGEST_COOKIE
    }
}

/// Exactly so many parts; some may be empty.
pub(crate) fn parts<const N: usize>(text: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = [&text[..0]; N];
    let mut rest = text;
    let (last, first) = parts.split_last_mut()?;
    for part in first {
        let end = memchr::memchr(b'.', rest)?;
        *part = &rest[..end];
        rest = &rest[end + 1..];
    }
    *last = rest;
    memchr::memchr(b'.', rest).is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_exactly_so_many_parts() {
        assert_eq!(parts::<3>(b"a..c"), Some([&b"a"[..], b"", b"c"]));
        for bad in ["", "a", "a.b", "a.b.c.d", "a.b.c."] {
            assert_eq!(parts::<3>(bad.as_bytes()), None, "{bad}");
        }
    }
}
