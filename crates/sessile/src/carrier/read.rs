//! Reading the credential from a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Carrier;
use crate::cookie;

/// What a request brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Nothing,
    /// A credential, by the carrier of this place in the list.
    One(usize, &'a [u8]),
    /// Several cookies of one name that differ: one of them was planted, and nobody can tell
    /// which.
    Several,
    /// Two carriers, one twice, or what is no bearer token at all: whoever sends that has to
    /// decide. Never silently the weaker one (RFC 6750, section 2).
    Ambiguous,
}

/// Finds the credential by whichever of these carriers brings it.
pub(crate) fn read<'a>(headers: &'a HeaderMap, carriers: &[Carrier], cookie: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    for (at, carrier) in carriers.iter().enumerate() {
        let brought = match carrier {
            Carrier::Cookie => match cookie::read(headers, cookie) {
                cookie::Found::Nothing => Found::Nothing,
                cookie::Found::One(text) => Found::One(at, text),
                cookie::Found::Several => Found::Several,
            },
            Carrier::Bearer => bearer(headers, at),
            Carrier::Header(header) => {
                let mut lines = headers.get_all(header.name()).iter();
                match (lines.next(), lines.next()) {
                    (None, _) => Found::Nothing,
                    // What a client keeps of our logout.
                    (Some(line), None) if line.is_empty() => Found::Nothing,
                    (Some(line), None) => Found::One(at, line.as_bytes()),
                    _ => Found::Ambiguous,
                }
            }
        };
        found = match (found, brought) {
            (found, Found::Nothing) => found,
            (Found::Nothing, brought) => brought,
            _ => return Found::Ambiguous,
        };
    }
    found
}

/// `Bearer`, in any case, one space, and a token (RFC 6750, section 2.1; RFC 9110, section 11.1).
/// Another scheme is not ours to read.
fn bearer(headers: &HeaderMap, at: usize) -> Found<'_> {
    const SCHEME: &[u8] = b"bearer";
    let mut found = Found::Nothing;
    for line in headers.get_all(AUTHORIZATION) {
        let rest = match line.as_bytes().split_at_checked(SCHEME.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
            _ => continue,
        };
        if rest.trim_ascii().is_empty() {
            continue; // what a client keeps of our logout
        }
        match (rest.strip_prefix(b" "), &found) {
            (Some(token), Found::Nothing) if is_token(token) => found = Found::One(at, token),
            // A scheme that only begins like ours.
            (None, _) if rest.first().is_some_and(u8::is_ascii_alphanumeric) => {}
            _ => return Found::Ambiguous,
        }
    }
    found
}

/// A `b64token`: letters, digits, some signs, and `=` at its end.
fn is_token(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| *byte != b'=');
    end.is_some_and(|end| {
        let sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
        text[..=end].iter().all(sign)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        };
        lines.iter().map(line).collect()
    }

    fn all() -> [Carrier; 3] {
        let header = Carrier::header("X-Session").unwrap();
        [Carrier::Cookie, Carrier::Bearer, header]
    }

    #[test]
    fn each_carrier_brings_its_own() {
        for (line, found) in [
            (("cookie", "sid=a"), Found::One(0, b"a")),
            (
                ("authorization", "Bearer a.b-c=="),
                Found::One(1, b"a.b-c=="),
            ),
            (("authorization", "bEARER x"), Found::One(1, b"x")),
            (("x-session", "abc"), Found::One(2, b"abc")),
            (("authorization", "Basic YTpi"), Found::Nothing),
            (("authorization", "Bearers x"), Found::Nothing),
            (("session-token", "x"), Found::Nothing),
            (("authorization", "Bearer"), Found::Nothing),
            (("authorization", "Bearer "), Found::Nothing),
            (("x-session", ""), Found::Nothing),
        ] {
            assert_eq!(read(&headers(&[line]), &all(), "sid"), found, "{line:?}");
        }
    }

    /// RFC 9449, section 7.1: who wants proof of possession says so by the scheme. It is not offered,
    /// and such a token is not taken without its proof.
    #[test]
    fn e23_a_token_that_wants_proof_of_possession_is_not_read_as_a_bearer() {
        let headers = headers(&[("authorization", "DPoP abc"), ("dpop", "proof")]);
        assert_eq!(read(&headers, &all(), "sid"), Found::Nothing);
    }

    #[test]
    fn what_is_no_single_bearer_token_is_ambiguous() {
        for text in [
            "Bearer  x",
            "Bearer\tx",
            "Bearer x y",
            "Bearer =",
            "Bearer a=b",
        ] {
            let headers = headers(&[("authorization", text)]);
            assert_eq!(read(&headers, &all(), "sid"), Found::Ambiguous, "{text:?}");
        }
    }

    #[test]
    fn two_carriers_or_one_twice_are_ambiguous_whatever_they_bring() {
        for lines in [
            [("cookie", "sid=a"), ("authorization", "Bearer a")],
            [("authorization", "Bearer a"), ("authorization", "Bearer a")],
            [("x-session", "a"), ("x-session", "a")],
            [("x-session", "a"), ("cookie", "sid=a")],
        ] {
            assert_eq!(read(&headers(&lines), &all(), "sid"), Found::Ambiguous);
        }
    }

    #[test]
    fn a_carrier_that_was_not_asked_for_is_not_looked_at() {
        let lines = [("cookie", "sid=a"), ("authorization", "Bearer b")];
        let headers = headers(&lines);
        let found = read(&headers, &[Carrier::Bearer], "sid");
        assert_eq!(found, Found::One(0, b"b"));
    }
}
