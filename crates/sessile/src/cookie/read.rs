//! Reading the cookie from a request.

use http::HeaderMap;
use http::header::COOKIE;

/// What a request brought under a cookie's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Nothing,
    One(&'a [u8]),
    /// Several, and they differ: one of them was planted, and nobody can tell which. The result
    /// must not depend on their order (RFC 6265bis, section 4.2.2).
    Several,
}

/// Finds the cookie of this exact name in all `Cookie` lines; HTTP/2 splits them. Linear in the
/// size of the header.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    for line in headers.get_all(COOKIE) {
        let mut rest = line.as_bytes();
        loop {
            let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
            match (value(&rest[..end], name.as_bytes()), &found) {
                (None, _) => {}
                (Some(value), Found::Nothing) => found = Found::One(value),
                (Some(value), Found::One(other)) if value == *other => {}
                (Some(_), _) => return Found::Several,
            }
            if end == rest.len() {
                break;
            }
            rest = &rest[end + 1..];
        }
    }
    found
}

fn value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = pair
        .trim_ascii_start()
        .strip_prefix(name)?
        .trim_ascii_start();
    rest.strip_prefix(b"=").map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (COOKIE, line.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_name_is_matched_whole_and_in_its_case() {
        for (line, found) in [
            ("sid=a", Found::One(b"a")),
            ("  x=1 ;\tsid = a ; y=2", Found::One(b"a")),
            ("Sid=a; xsid=b; sidx=c; sid", Found::Nothing),
            ("sid=", Found::One(b"")),
            ("sid=a=b", Found::One(b"a=b")),
            ("__HOST-sid=a", Found::Nothing),
            (";;;=;= ;sid=a;", Found::One(b"a")),
        ] {
            assert_eq!(read(&headers(&[line]), "sid"), found, "{line:?}");
        }
    }

    #[test]
    fn equal_cookies_are_one_and_different_ones_are_none_in_any_order() {
        assert_eq!(read(&headers(&["sid=a; sid=a"]), "sid"), Found::One(b"a"));
        assert_eq!(
            read(&headers(&["sid=a", "x=1", "sid=a"]), "sid"),
            Found::One(b"a")
        );
        for lines in [&["sid=a; sid=b"][..], &["sid=b", "sid=a"], &["sid=; sid=a"]] {
            assert_eq!(read(&headers(lines), "sid"), Found::Several);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_a_value_like_any_other() {
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            http::HeaderValue::from_bytes(b"sid=\xff\xfe").unwrap(),
        );
        assert_eq!(read(&headers, "sid"), Found::One(b"\xff\xfe"));
    }
}
