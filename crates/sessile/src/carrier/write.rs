//! Writing the credential into a response, by the carrier that brought it, and the headers that
//! keep such a response out of caches.

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, Entry, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Carrier;
use crate::{CookieConfig, Error, ErrorKind, Result, cookie};

/// Where a bearer's new credential comes back.
const SESSION_TOKEN: HeaderName = HeaderName::from_static("session-token");

/// Puts a credential into a response that nobody may cache: `None` removes what the client holds.
/// With it goes how long a browser keeps it, if longer than it is open.
///
/// # Errors
///
/// [`ErrorKind::TooLarge`] for a cookie that browsers would drop.
pub(crate) fn write(
    headers: &mut HeaderMap,
    carrier: &Carrier,
    config: &CookieConfig,
    credential: Option<(&str, Option<std::time::Duration>)>,
) -> Result<()> {
    let name = match carrier {
        Carrier::Cookie => {
            let line = match credential {
                Some((text, kept)) => cookie::set(config, text, kept)?,
                None => cookie::removal(config)?,
            };
            cookie::write(headers, config, line);
            no_store(headers);
            return Ok(());
        }
        Carrier::Bearer => SESSION_TOKEN,
        Carrier::Header(header) => header.name().clone(),
    };
    let text = credential.map_or("", |(text, _)| text);
    let mut value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|_| Error::new(ErrorKind::Encode, "the credential does not fit a header"))?;
    value.set_sensitive(true);
    // A script of another origin may read it where the application allows that origin.
    add(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &name);
    headers.insert(name, value);
    no_store(headers);
    Ok(())
}

fn no_store(headers: &mut HeaderMap) {
    let no_store = HeaderValue::from_static("no-store");
    match headers.entry(CACHE_CONTROL) {
        Entry::Vacant(place) => {
            place.insert(no_store);
        }
        Entry::Occupied(place) if place.iter().any(|line| lists(line, b"no-store")) => {}
        Entry::Occupied(mut place) => {
            place.insert(no_store);
        }
    }
}

/// Says that the response depends on what the carriers brought (RFC 9110, section 12.5.5).
pub(crate) fn vary(headers: &mut HeaderMap, carriers: &[Carrier]) {
    for carrier in carriers {
        add(headers, VARY, &carrier.request_header());
    }
}

/// Adds a header's name to a list of such, unless it or `*` is there.
fn add(headers: &mut HeaderMap, list: HeaderName, name: &HeaderName) {
    match headers.entry(list) {
        Entry::Vacant(place) => {
            place.insert(name.clone().into());
        }
        Entry::Occupied(place)
            if place
                .iter()
                .any(|line| lists(line, name.as_str().as_bytes()) || lists(line, b"*")) => {}
        Entry::Occupied(mut place) => place.append(name.clone().into()),
    }
}

/// Whether a comma-separated header names this element.
fn lists(line: &HeaderValue, element: &[u8]) -> bool {
    elements(line).any(|part| part.eq_ignore_ascii_case(element))
}

fn elements(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let parts = line.as_bytes().split(|byte| *byte == b',');
    parts.map(<[u8]>::trim_ascii)
}

/// Tells a client that was refused how it may authenticate (RFC 6750, section 3): without a word
/// of why where it brought nothing, and without the reason in any case.
pub(crate) fn challenge(headers: &mut HeaderMap, carriers: &[Carrier], error: Option<&str>) {
    if !carriers.contains(&Carrier::Bearer) || headers.contains_key(WWW_AUTHENTICATE) {
        return;
    }
    let text = match error {
        None => "Bearer".to_owned(),
        Some(error) => format!("Bearer error=\"{error}\""),
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
}

/// Takes credentials and dependencies over from the response that a page replaces.
pub(crate) fn carry_over(
    from: &HeaderMap,
    to: &mut HeaderMap,
    carriers: &[Carrier],
    config: &CookieConfig,
) {
    cookie::carry_over(from, to, config);
    for carrier in carriers {
        let name = match carrier {
            Carrier::Cookie => continue,
            Carrier::Bearer => SESSION_TOKEN,
            Carrier::Header(header) => header.name().clone(),
        };
        if let Some(value) = from.get(&name) {
            to.insert(&name, value.clone());
        }
    }
    for name in [VARY, ACCESS_CONTROL_EXPOSE_HEADERS] {
        for line in from.get_all(&name) {
            let is_known = |element: &[u8]| {
                let mut lines = to.get_all(&name).iter();
                lines.any(|known| lists(known, element) || lists(known, b"*"))
            };
            if !elements(line).all(is_known) {
                to.append(&name, line.clone());
            }
        }
    }
    for line in from.get_all(WWW_AUTHENTICATE) {
        if !to
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .any(|known| known == line)
        {
            to.append(WWW_AUTHENTICATE, line.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::SET_COOKIE;

    use super::*;

    #[test]
    fn vary_is_merged() {
        for (before, after) in [
            (&[][..], "cookie"),
            (&["Accept"], "Accept,cookie"),
            (&["accept, COOKIE"], "accept, COOKIE"),
            (&["Accept", "Cookie"], "Accept,Cookie"),
            (&["*"], "*"),
        ] {
            let mut headers: HeaderMap = before
                .iter()
                .map(|value| (VARY, HeaderValue::from_static(value)))
                .collect();
            vary(&mut headers, &[Carrier::Cookie]);
            let lines: Vec<_> = headers
                .get_all(VARY)
                .iter()
                .map(|line| line.to_str().unwrap())
                .collect();
            assert_eq!(lines.join(","), after);
        }
    }

    #[test]
    fn what_a_page_says_already_is_not_carried_over_to_it_again() {
        let lines = |pairs: &[(HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, text) in pairs {
                headers.append(name, HeaderValue::from_static(text));
            }
            headers
        };
        let from = lines(&[
            (VARY, "cookie"),
            (VARY, "accept, origin"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "session-token"),
            (WWW_AUTHENTICATE, "Bearer"),
        ]);
        let mut to = lines(&[
            (VARY, "Accept, Cookie"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "*"),
            (WWW_AUTHENTICATE, "Basic"),
        ]);
        for _ in 0..2 {
            carry_over(&from, &mut to, &[], &CookieConfig::standard());
            let all = |name: HeaderName| to.get_all(name).iter().cloned().collect::<Vec<_>>();
            assert_eq!(all(VARY), ["Accept, Cookie", "accept, origin"]);
            assert_eq!(all(ACCESS_CONTROL_EXPOSE_HEADERS), ["*"]);
            assert_eq!(all(WWW_AUTHENTICATE), ["Basic", "Bearer"]);
        }
    }

    #[test]
    fn a_response_with_the_cookie_is_not_cached_and_has_one_of_its_name() {
        let config = CookieConfig::standard();
        for (before, after) in [
            ("public, s-maxage=60", "no-store"),
            ("private", "no-store"),
            ("no-store, must-revalidate", "no-store, must-revalidate"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(before));
            headers.append(
                SET_COOKIE,
                HeaderValue::from_static("__Host-sid=planted; Path=/"),
            );
            headers.append(SET_COOKIE, HeaderValue::from_static("other=1"));
            write(&mut headers, &Carrier::Cookie, &config, None).unwrap();
            assert_eq!(headers[CACHE_CONTROL], after);
            let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[0], "other=1");
        }
    }

    #[test]
    fn a_bearer_gets_its_new_credential_in_a_header_that_scripts_may_read() {
        let config = CookieConfig::standard();
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("X-A"),
        );
        for (credential, sent) in [(Some(("abc", None)), "abc"), (None, "")] {
            write(&mut headers, &Carrier::Bearer, &config, credential).unwrap();
            assert_eq!(headers["session-token"], sent);
        }
        let exposed: Vec<_> = headers
            .get_all(ACCESS_CONTROL_EXPOSE_HEADERS)
            .iter()
            .collect();
        assert_eq!(exposed, ["X-A", "session-token"]);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(SET_COOKIE));
        assert!(headers["session-token"].is_sensitive());
    }

    #[test]
    fn every_carrier_is_named_in_vary() {
        let carriers = [
            Carrier::Cookie,
            Carrier::Bearer,
            Carrier::header("X-S").unwrap(),
        ];
        let mut headers = HeaderMap::new();
        vary(&mut headers, &carriers);
        let lines: Vec<_> = headers.get_all(VARY).iter().collect();
        assert_eq!(lines, ["cookie", "authorization", "x-s"]);
    }
}
