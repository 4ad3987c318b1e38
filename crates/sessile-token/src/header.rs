//! The header of a token: what it may say, and what it must not.

use std::borrow::Cow;

use crate::keys::{Algorithm, LONGEST_KID};
use crate::{base64, json};

/// The type of a signed session (RFC 8725, section 3.11): no other token is taken for one.
pub(crate) const SIGNED: &str = "session+jwt";
/// The type of a sealed session.
pub(crate) const SEALED: &str = "session+jwe";

/// What would have to be understood or followed, and is not: extensions (RFC 7515, section
/// 4.1.11; RFC 7797), compression, keys that the token itself brings or says where to get.
const REFUSED: [&str; 9] = [
    "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256",
];

/// A header that says nothing that is not understood. Nothing in it is trusted: the key decides.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) enc: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    pub(crate) aud: Option<String>,
    /// The cookie's or header's name that a sealed token is bound to.
    pub(crate) carrier: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) version: Option<u64>,
}

impl Header {
    /// Reads the header's text as it travels.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let bytes = base64::decode(text)?;
        let mut header = Header::default();
        json::object(std::str::from_utf8(&bytes).ok()?, |name, value| {
            let text = || json::string(value).map(Cow::into_owned);
            match name {
                "alg" => header.alg = text()?,
                "enc" => header.enc = Some(text()?),
                "kid" => header.kid = Some(text()?),
                "typ" => header.typ = Some(text()?),
                "aud" => header.aud = Some(text()?),
                "car" => header.carrier = Some(text()?),
                "pur" => header.purpose = Some(text()?),
                "ver" => header.version = Some(json::integer(value)?),
                name if REFUSED.contains(&name) => return None,
                _ => {}
            }
            Some(())
        })?;
        let kid = header.kid.as_deref();
        kid.is_none_or(|kid| (1..=LONGEST_KID).contains(&kid.len()))
            .then_some(header)
    }

    /// Whether the token is of this type; `application/` may stand before it.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        let typ = self.typ.as_deref().unwrap_or_default();
        typ.strip_prefix("application/").unwrap_or(typ) == wanted
    }
}

/// The header of a signed session, as it travels.
pub(crate) fn signed(algorithm: Algorithm, kid: &str) -> String {
    write(
        &[("alg", algorithm.as_str()), ("kid", kid), ("typ", SIGNED)],
        None,
    )
}

/// The header of a sealed session, as it travels. It is authenticated with the session, which thus
/// opens in no other place than this.
pub(crate) fn sealed(kid: &str, audience: &str, carrier: &str) -> String {
    let members = [
        ("alg", "dir"),
        ("enc", "A256GCM"),
        ("kid", kid),
        ("typ", SEALED),
        ("aud", audience),
        ("car", carrier),
        ("pur", "session"),
    ];
    write(&members, Some(1))
}

fn write(members: &[(&str, &str)], version: Option<u64>) -> String {
    let mut json = vec![b'{'];
    for (name, value) in members {
        json::write_name(&mut json, name);
        json::write_string(&mut json, value);
    }
    if let Some(version) = version {
        json::write_name(&mut json, "ver");
        json.extend_from_slice(version.to_string().as_bytes());
    }
    json.push(b'}');
    base64::encode(json)
}
