//! The forms of text that a key may ask for.

use super::shape::Form;
use super::{duration, url};
use crate::{Carrier, CookieConfig};

pub(super) const NODE: Form = Form {
    check: |text| {
        let good = (1..=16).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        match text {
            "0" | "s" => Err(format!(
                "\"{text}\" is reserved: write a label of this node's own, such as \"n1\""
            )),
            _ if good => Ok(()),
            _ => Err(
                "is no label of a node: write 1 to 16 characters of a-z and 0-9, such as \"n1\""
                    .into(),
            ),
        }
    },
    // No look-ahead: editors differ in what they support.
    pattern: Some("^([a-rt-z1-9]|[a-z0-9]{2,16})$"),
    example: "n1",
};

pub(super) const CARRIER: Form = Form {
    check: |text| carrier(text).map(|_| ()),
    pattern: Some("^(cookie|bearer|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$"),
    example: "cookie",
};

pub(super) const COOKIE_NAME: Form = Form {
    check: |text| built(CookieConfig::new().name(text)),
    pattern: Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"),
    example: "__Host-sid",
};

pub(super) const COOKIE_PATH: Form = Form {
    check: |text| built(CookieConfig::new().name("sid").path(text)),
    pattern: Some("^/"),
    example: "/",
};

pub(super) const COOKIE_DOMAIN: Form = Form {
    check: |text| built(CookieConfig::new().name("__Secure-sid").domain(text)),
    pattern: Some("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"),
    example: "example.org",
};

pub(super) const KEY_ID: Form = Form {
    check: |text| match text {
        _ if !(1..=128).contains(&text.len()) => {
            Err("is no name of a key: write 1 to 128 bytes, such as \"2026-11\"".into())
        }
        _ if text.chars().any(char::is_control) => {
            Err("has control characters: write a name such as \"2026-11\"".into())
        }
        _ => Ok(()),
    },
    pattern: Some("^.{1,128}$"),
    example: "2026-11",
};

pub(super) const VARIABLE: Form = Form {
    // What was written is not repeated: it may be the secret itself, in the wrong place.
    check: |text| {
        let first = text.bytes().next();
        let good = first.is_some_and(|byte| !byte.is_ascii_digit())
            && text.len() <= 128
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        good.then_some(()).ok_or_else(|| {
            "is no name of an environment variable: write one such as \"SESSILE_KEY\", and the secret into the variable".into()
        })
    },
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]{0,127}$"),
    example: "SESSILE_KEY",
};

pub(super) const FILE: Form = Form {
    check: |text| match text {
        "" => Err("is empty: write the path of the file".into()),
        _ if text.contains('\0') => Err("has a NUL in it: write the path of the file".into()),
        _ => Ok(()),
    },
    pattern: Some("."),
    example: "/run/secrets/sessile",
};

pub(super) const NAME: Form = Form {
    check: |text| match text {
        "" => Err("is empty: write a name such as \"https://app.example\", or remove it".into()),
        _ if text.chars().any(char::is_control) => {
            Err("has control characters: write a name such as \"https://app.example\"".into())
        }
        _ => Ok(()),
    },
    pattern: Some("."),
    example: "https://app.example",
};

pub(super) const PEER_TEMPLATE: Form = Form {
    check: |text| {
        match text.matches("{node}").count() {
        1 => url::check_peer(&text.replace("{node}", "n1")),
        _ => Err("has to name the node in one place: write \"{node}\" where its label goes, such as \"http://{node}.app:8080\"".into()),
    }
    },
    pattern: Some("^http://[^/?#@]*[{]node[}][^/?#@]*/?$"),
    example: "http://{node}.app:8080",
};

pub(super) const PEER: Form = Form {
    check: url::check_peer,
    pattern: Some("^http://[^/?#@]+/?$"),
    example: "http://n2.app:8080",
};

pub(super) const REVOCATION: Form = Form {
    check: |text| match text {
        "immediate" | "at_expiry" => Ok(()),
        _ => duration::parse(text)
            .map(|_| ())
            .map_err(|why| format!("{why}, or \"immediate\" or \"at_expiry\"")),
    },
    pattern: Some("^(immediate|at_expiry|[0-9]+(ms|s|m|h|d))$"),
    example: "5s",
};

fn built(cookie: CookieConfig<crate::Unchecked>) -> Result<(), String> {
    cookie
        .build()
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// The carrier that is named.
pub(super) fn carrier(text: &str) -> Result<Carrier, String> {
    match text.strip_prefix("header:") {
        Some(name) if name.eq_ignore_ascii_case("cookie") => {
            Err("has a name of its own: write \"cookie\"".into())
        }
        Some(name) if name.eq_ignore_ascii_case("authorization") => {
            Err("has a name of its own: write \"bearer\"".into())
        }
        Some(name) => Carrier::header(name).map_err(|_| {
            "names no header that can be used: write one of your own, such as \"header:x-session\"".into()
        }),
        None => match text {
            "cookie" => Ok(Carrier::Cookie),
            "bearer" => Ok(Carrier::Bearer),
            _ => Err("is no carrier: write \"cookie\", \"bearer\" or \"header:<name>\"".into()),
        },
    }
}
