//! Writing the cookie.

use std::time::Duration;

use bytes::Bytes;
use http::header::{Entry, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::CookieConfig;
use crate::{Error, ErrorKind, Result};

/// The longest `Set-Cookie` that every browser keeps (RFC 6265bis, section 5.6).
const LONGEST: usize = 4096;
/// The longest `Max-Age` that a browser honours (RFC 6265bis, section 5.5).
const LONGEST_AGE: Duration = Duration::from_secs(400 * 24 * 3600);

/// `Set-Cookie` for a credential; `kept` is for how long, if a browser is to keep it when it closes.
pub(crate) fn set(
    config: &CookieConfig,
    value: &str,
    kept: Option<Duration>,
) -> Result<HeaderValue> {
    let age = kept.map(|kept| kept.min(LONGEST_AGE).as_secs());
    line(config, value, age)
}

/// How long a credential may be, so that the whole line is kept by every browser.
pub(crate) fn room(config: &CookieConfig) -> usize {
    let age = if config.is_persistent() {
        format!("; Max-Age={}", LONGEST_AGE.as_secs()).len()
    } else {
        0
    };
    let rest = config.as_name().len() + 1 + age + config.attributes().len();
    LONGEST.saturating_sub(rest)
}

/// `Set-Cookie` that removes what [`set`] set: the same name and attributes.
pub(crate) fn removal(config: &CookieConfig) -> Result<HeaderValue> {
    line(config, "", Some(0))
}

fn line(config: &CookieConfig, value: &str, age: Option<u64>) -> Result<HeaderValue> {
    let age = age
        .map(|seconds| format!("; Max-Age={seconds}"))
        .unwrap_or_default();
    let parts = [config.as_name(), "=", value, &age, config.attributes()];
    let length = parts.iter().map(|part| part.len()).sum();
    if length > LONGEST {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the session cookie would be {length} bytes long; browsers drop more than {LONGEST}"
            ),
        ));
    }
    let mut text = String::with_capacity(length);
    parts.into_iter().for_each(|part| text.push_str(part));
    let mut line = HeaderValue::from_maybe_shared(Bytes::from(text))
        .map_err(|_| Error::new(ErrorKind::Encode, "the credential does not fit a header"))?;
    // Kept out of logs and out of HPACK's table.
    line.set_sensitive(true);
    Ok(line)
}

/// Puts the cookie into a response: the only one of its name.
pub(crate) fn write(headers: &mut HeaderMap, config: &CookieConfig, line: HeaderValue) {
    match headers.entry(SET_COOKIE) {
        Entry::Vacant(place) => {
            place.insert(line);
        }
        Entry::Occupied(_) => {
            drop_ours(headers, config.as_name());
            headers.append(SET_COOKIE, line);
        }
    }
}

/// Removes what the application set under our name: one name, one `Set-Cookie`.
fn drop_ours(headers: &mut HeaderMap, name: &str) {
    let lines: Vec<_> = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter(|line| !is_named(line, name))
        .cloned()
        .collect();
    headers.remove(SET_COOKIE);
    for line in lines {
        headers.append(SET_COOKIE, line);
    }
}

fn is_named(line: &HeaderValue, name: &str) -> bool {
    let pair = line.as_bytes().split(|byte| *byte == b'=').next();
    pair.is_some_and(|pair| pair.trim_ascii() == name.as_bytes())
}

/// Takes cookies over from the response that a page replaces.
pub(crate) fn carry_over(from: &HeaderMap, to: &mut HeaderMap, config: &CookieConfig) {
    if from
        .get_all(SET_COOKIE)
        .iter()
        .any(|line| is_named(line, config.as_name()))
    {
        drop_ours(to, config.as_name());
    }
    for line in from.get_all(SET_COOKIE) {
        to.append(SET_COOKIE, line.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_repeats_every_attribute() {
        let config = CookieConfig::new()
            .name("__Secure-x")
            .domain("example.org")
            .path("/shop")
            .partitioned()
            .build()
            .unwrap();
        let attributes =
            "; Path=/shop; Domain=example.org; Secure; HttpOnly; SameSite=Lax; Partitioned";
        let set = set(&config, "v", None).unwrap();
        assert_eq!(
            set.as_bytes(),
            format!("__Secure-x=v{attributes}").as_bytes()
        );
        let removal = removal(&config).unwrap();
        assert_eq!(
            removal.as_bytes(),
            format!("__Secure-x=; Max-Age=0{attributes}").as_bytes()
        );
    }

    #[test]
    fn a_persistent_cookie_lives_as_long_as_the_session_and_400_days_at_the_most() {
        let config = CookieConfig::new().persistent().build().unwrap();
        for (remaining, age) in [
            (Duration::from_millis(90_999), 90),
            (Duration::MAX, 34_560_000),
        ] {
            let line = set(&config, "v", Some(remaining)).unwrap();
            assert!(
                line.to_str()
                    .unwrap()
                    .contains(&format!("; Max-Age={age};")),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_cookie_over_4096_bytes_is_an_error_and_never_cut() {
        let config = CookieConfig::standard();
        let error = set(&config, &"x".repeat(4096), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}
