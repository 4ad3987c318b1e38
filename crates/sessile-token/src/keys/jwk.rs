//! Keys as JSON (RFC 7517, RFC 7518 section 6, RFC 8037).

use sessile_core::Result;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Algorithm, invalid};
use crate::{base64, json};

/// The members of a key that matter here, each there once and of the right type.
#[derive(Default)]
pub(crate) struct Jwk {
    pub(crate) kty: String,
    pub(crate) kid: Option<String>,
    pub(crate) alg: Option<String>,
    pub(crate) crv: Option<String>,
    usage: Option<String>,
    operations: Option<Vec<String>>,
    numbers: Vec<(String, Zeroizing<Vec<u8>>)>,
}

const NUMBERS: [&str; 11] = ["k", "d", "x", "y", "n", "e", "p", "q", "dp", "dq", "qi"];

impl Jwk {
    /// Reads a key; what it may be used for has to contain `operation`, where it says so.
    pub(crate) fn parse(text: &str, usage: &str, operations: &[&str]) -> Result<Self> {
        let jwk = Jwk::read(text.trim())
            .ok_or_else(|| invalid("the key is no JWK: one JSON object, with each member once"))?;
        if jwk.usage.as_ref().is_some_and(|known| known != usage) {
            return Err(invalid(format!(
                "the JWK is for another use: \"use\" has to be {usage:?}, or to be left out"
            )));
        }
        let fits = |known: &Vec<String>| known.iter().any(|known| operations.contains(&&**known));
        if !jwk.operations.as_ref().is_none_or(fits) {
            return Err(invalid(format!(
                "the JWK is for another use: \"key_ops\" has to contain {:?}, or to be left out",
                operations[0]
            )));
        }
        Ok(jwk)
    }

    fn read(text: &str) -> Option<Self> {
        let mut jwk = Jwk::default();
        json::object(text, |name, value| {
            let text = || json::string(value).map(|text| text.into_owned());
            match name {
                "kty" => jwk.kty = text()?,
                "kid" => jwk.kid = Some(text()?),
                "alg" => jwk.alg = Some(text()?),
                "crv" => jwk.crv = Some(text()?),
                "use" => jwk.usage = Some(text()?),
                "key_ops" => jwk.operations = Some(json::strings(value)?),
                // Keys of more than two primes: nobody has any.
                "oth" => return None,
                name if NUMBERS.contains(&name) => {
                    let number = Zeroizing::new(base64::decode(&*Zeroizing::new(text()?))?);
                    jwk.numbers.push((name.to_owned(), number));
                }
                _ => {}
            }
            Some(())
        })?;
        Some(jwk)
    }

    /// The algorithm that the key names. `None` if it names none.
    pub(crate) fn algorithm(&self) -> Result<Option<Algorithm>> {
        self.alg.as_deref().map(str::parse).transpose()
    }

    pub(crate) fn is_private(&self) -> bool {
        self.number("d").is_some()
    }

    pub(crate) fn number(&self, name: &str) -> Option<&[u8]> {
        let mut numbers = self.numbers.iter();
        numbers
            .find(|(known, _)| known == name)
            .map(|(_, number)| &number[..])
    }

    /// A number that the key can't be without.
    pub(crate) fn need(&self, name: &str) -> Result<&[u8]> {
        self.number(name)
            .ok_or_else(|| invalid(format!("the JWK lacks its member {name:?}")))
    }
}

/// SHA-256 of a key's required members in their order (RFC 7638), as base64url: the name of a key
/// that was given none.
pub(crate) fn thumbprint(members: &[(&str, &str)]) -> String {
    let mut json = Zeroizing::new(vec![b'{']);
    for (name, value) in members {
        json::write_name(&mut json, name);
        json::write_string(&mut json, value);
    }
    json.push(b'}');
    base64::encode(Sha256::digest(&*json))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let print = thumbprint(&[("e", "AQAB"), ("kty", "RSA"), ("n", n)]);
        assert_eq!(print, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_that_says_two_things_is_refused() {
        for bad in [
            r#"{"kty":"oct","k":"AQ","k":"Ag"}"#,
            r#"{"kty":"oct","k":"AQ","\u006b":"Ag"}"#,
            r#"{"kty":"oct","k":1}"#,
            r#"{"kty":"oct","k":"A"}"#,
            r#"["kty"]"#,
            "",
        ] {
            assert!(Jwk::parse(bad, "sig", &["sign"]).is_err(), "{bad}");
        }
        let jwk = r#"{"kty":"oct","k":"AQ","use":"enc"}"#;
        assert!(Jwk::parse(jwk, "sig", &["sign"]).is_err());
        assert!(Jwk::parse(jwk, "enc", &["encrypt"]).is_ok());
        let jwk = r#"{"kty":"oct","k":"AQ","key_ops":["verify"]}"#;
        assert!(Jwk::parse(jwk, "sig", &["sign"]).is_err());
        assert!(Jwk::parse(jwk, "sig", &["verify", "sign"]).is_ok());
    }
}
