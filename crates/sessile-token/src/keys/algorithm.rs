//! The algorithms of signed tokens (RFC 7518, section 3.1; RFC 8037).

use std::fmt;
use std::str::FromStr;

use sessile_core::{Error, ErrorKind, Result};

/// How a token is signed. A key has exactly one, and the token's header has to name that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256: the issuer is also the only one who verifies.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// Ed25519: others can verify. The choice where there is one.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// RSASSA-PSS with SHA-256, for those who have to use RSA.
    PS256,
    /// RSASSA-PKCS1-v1_5 with SHA-256. It only verifies, what was signed elsewhere or before.
    RS256,
}

/// Kinds of keys that do not belong into one ring: a verifier that takes several is what the
/// attacks on algorithms need (RFC 8725, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Hmac,
    Signature,
}

impl Algorithm {
    const ALL: [Algorithm; 8] = [
        Algorithm::HS256,
        Algorithm::HS384,
        Algorithm::HS512,
        Algorithm::EdDSA,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::PS256,
        Algorithm::RS256,
    ];

    /// The name, as it stands in a header under `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::HS256 => "HS256",
            Algorithm::HS384 => "HS384",
            Algorithm::HS512 => "HS512",
            Algorithm::EdDSA => "EdDSA",
            Algorithm::ES256 => "ES256",
            Algorithm::ES384 => "ES384",
            Algorithm::PS256 => "PS256",
            Algorithm::RS256 => "RS256",
        }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Family::Hmac,
            _ => Family::Signature,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// Reads the name, in its exact case; `Ed25519`, which RFC 9864 prefers, is `EdDSA`.
    fn from_str(name: &str) -> Result<Self> {
        if name == "Ed25519" {
            return Ok(Algorithm::EdDSA);
        }
        let mut all = Algorithm::ALL.into_iter();
        all.find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| {
                let message =
                    "no such algorithm: write HS256, HS384, HS512, EdDSA, ES256, ES384 or PS256";
                Error::new(ErrorKind::Invalid, message)
            })
    }
}
