//! URLs of stores and of peers; a password in one is shown to nobody.

use std::fmt;

use zeroize::Zeroizing;

pub(super) const ABOUT: &str = "The store: redis, rediss, redis+cluster, redis+sentinel, postgres, mysql, sqlite, memory, or a registered scheme.";
pub(super) const PATTERN: &str = "^[a-z][a-z0-9+.-]*:";

/// A store's URL.
#[derive(Clone)]
pub(super) struct StoreUrl(Zeroizing<String>);

impl StoreUrl {
    /// A URL that was checked.
    pub(super) fn new(text: &str) -> Self {
        StoreUrl(Zeroizing::new(text.to_owned()))
    }

    pub(super) fn scheme(&self) -> &str {
        scheme(&self.0).unwrap_or_default()
    }

    /// A text that may quote this URL or its password, without either.
    pub(super) fn hide_in(&self, text: &str) -> String {
        let text = text.replace(self.expose(), &redact(&self.0));
        let userinfo = self
            .0
            .rsplit_once('@')
            .map(|(front, _)| front.trim_start_matches(self.scheme()));
        let password = userinfo.map(|user| user.trim_start_matches([':', '/']));
        let password =
            password.map(|user| user.split_once(':').map_or(user, |(_, password)| password));
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let parameters = query
            .split('&')
            .filter_map(|parameter| parameter.split_once('='));
        let parameters = parameters
            .filter(|(name, _)| is_secret(name))
            .map(|(_, value)| value);
        let secrets = parameters
            .chain(password)
            .filter(|secret| !secret.is_empty());
        secrets.fold(text, |text, secret| {
            text.replace(secret, "***")
                .replace(&percent_decoded(secret), "***")
        })
    }

    /// All of it, the password too.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(super) fn check(text: &str) -> Result<(), String> {
    if scheme(text).is_none() {
        return Err("is no URL: write one that begins with its scheme, such as \"redis://127.0.0.1:6379\" or \"sqlite:sessions.db\"".into());
    }
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err(
            "has spaces or control characters in it: write them as %20 and the like".into(),
        );
    }
    Ok(())
}

/// An address of another node: scheme, host and port.
pub(super) fn check_peer(text: &str) -> Result<(), String> {
    let Ok(url) = text.parse::<http::Uri>() else {
        return Err("is no address: write one such as \"http://n2.app:8080\"".into());
    };
    let Some(authority) = url.authority() else {
        return Err("has no host: write an address such as \"http://n2.app:8080\"".into());
    };
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err("is https, and a hop is plain http inside of a private network: write http, or the address of a proxy on this machine that adds TLS".into());
        }
        _ => return Err("has a scheme that peers do not speak: write http".into()),
    }
    if authority.as_str().contains('@') {
        return Err(
            "has a user in it: peers know each other by [keys]; write scheme, host and port".into(),
        );
    }
    let port = authority.as_str().strip_prefix(authority.host());
    if authority.host().is_empty() || (authority.port_u16().unwrap_or(0) == 0 && port != Some("")) {
        return Err(
            "has no host, or a port that is none: write an address such as \"http://n2.app:8080\""
                .into(),
        );
    }
    if url.path_and_query().is_some_and(|rest| rest != "/") || text.contains('#') {
        return Err("has a path: the request's own is used; write scheme, host and port".into());
    }
    Ok(())
}

/// What stands before the first colon, if it is a scheme (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let good = bytes.next()?.is_ascii_lowercase()
        && bytes.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        });
    good.then_some(scheme)
}

/// The URL without what may be secret. A password that was not encoded may hold `/`, `?` or `@`, so
/// everything before the last `@` is taken for user and password.
pub(super) fn redact(url: &str) -> String {
    let (front, rest) = match url.rsplit_once('@') {
        None => (String::new(), url),
        Some((front, rest)) => {
            let (scheme, user) = front.split_once(':').unwrap_or(("", front));
            let user = user
                .trim_start_matches('/')
                .split_once(':')
                .map(|(user, _)| user);
            let plain = |user: &&str| {
                user.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            };
            let user = user.filter(plain).map(|user| format!("{user}:"));
            (format!("{scheme}://{}***@", user.unwrap_or_default()), rest)
        }
    };
    let Some((rest, query)) = rest.split_once('?') else {
        return front + rest;
    };
    let parameters = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=***"),
            _ => parameter.to_owned(),
        });
    format!("{front}{rest}?{}", parameters.collect::<Vec<_>>().join("&"))
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) if *byte == b'%' => {
                decoded.push(code);
                rest = &after[2..];
            }
            _ => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn is_secret(parameter: &str) -> bool {
    let name = parameter.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key", "auth"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_however_it_is_written() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
            ("redis://:hunter2@h/0", "redis://:***@h/0"),
            (
                "postgres://app:hunter2@h/db?sslmode=require",
                "postgres://app:***@h/db?sslmode=require",
            ),
            ("postgres://app:hun/ter?2@x@h/db", "postgres://app:***@h/db"),
            ("redis://hunter2@h", "redis://***@h"),
            ("redis://hun ter2:x@h", "redis://***@h"),
            (
                "mysql://h/db?user=a&password=hunter2",
                "mysql://h/db?user=a&password=***",
            ),
            (
                "dynamodb:sessions?secretKey=hunter2",
                "dynamodb:sessions?secretKey=***",
            ),
            (
                "redis+sentinel://:hunter2@a:1,b:2/main",
                "redis+sentinel://:***@a:1,b:2/main",
            ),
            ("sqlite:sessions.db", "sqlite:sessions.db"),
        ] {
            assert_eq!(redact(url), shown);
            assert_eq!(format!("{:?}", StoreUrl::new(url)), shown);
        }
    }

    #[test]
    fn an_error_that_quotes_the_password_is_shown_without_it() {
        let url = StoreUrl::new("redis://app:hun%2Fter2@h/0?auth_token=s3cret");
        for said in [
            "no route to redis://app:hun%2Fter2@h/0?auth_token=s3cret",
            "WRONGPASS hun/ter2",
            "bad hun%2Fter2, s3cret",
        ] {
            let shown = url.hide_in(said);
            for secret in ["hun%2Fter2", "hun/ter2", "s3cret"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        assert_eq!(StoreUrl::new("memory:").hide_in("memory: a"), "memory: a");
    }

    #[test]
    fn a_scheme_is_lower_case_and_there() {
        assert_eq!(
            StoreUrl::new("redis+cluster://a,b").scheme(),
            "redis+cluster"
        );
        for text in [
            "",
            "127.0.0.1:6379",
            "://h",
            "Redis://h",
            "a b:c",
            "localhost",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
