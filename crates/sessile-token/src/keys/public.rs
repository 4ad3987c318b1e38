//! Keys that only verify.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
};
use sessile_core::{Error, Result};
use sha2::{Digest as _, Sha256};

use super::der::{self, Kind};
use super::jwk::{Jwk, thumbprint};
use super::point::{Point, check_rsa};
use super::{Algorithm, agreed, check_kid, invalid, pem};

/// A key that only verifies. It is no secret.
#[derive(Clone)]
pub struct PublicKey {
    kid: Box<str>,
    algorithm: Algorithm,
    point: Arc<Point>,
    parsed: Arc<ParsedPublicKey>,
}

impl PublicKey {
    /// A key from PEM: `PUBLIC KEY`, or `RSA PUBLIC KEY`. Its name is its thumbprint (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if it is no such key, not one for this algorithm, a weak one
    /// (RSA under 2048 bits, an exponent that is even or 1, a modulus made by faulty chips), or a
    /// private one.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self> {
        let (label, bytes) = pem::decode(text).ok_or_else(|| invalid("the key is no PEM"))?;
        let point = match label {
            "PUBLIC KEY" => {
                let found = der::public_key(&bytes);
                let (kind, bits) = found
                    .ok_or_else(|| invalid("the PEM holds no public key that is known here"))?;
                Point::of(kind, bits)?
            }
            "RSA PUBLIC KEY" => Point::of(Kind::Rsa, &bytes)?,
            label if label.contains("PRIVATE KEY") => {
                return Err(invalid(
                    "the PEM holds a private key where a public one belongs: whoever only verifies must not have it",
                ));
            }
            label => {
                return Err(invalid(format!(
                    "the PEM holds {label:?}: extract the public key from it, such as with `openssl x509 -pubkey`"
                )));
            }
        };
        PublicKey::new(algorithm, point)
    }

    /// A key as a JWK, with its `kid` and `alg` if it has them.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), for another use, and where neither the JWK nor the caller
    /// names an algorithm.
    pub fn from_jwk(algorithm: Option<Algorithm>, text: &str) -> Result<Self> {
        PublicKey::of(algorithm, &Jwk::parse(text, "sig", &["verify"])?)
    }

    pub(super) fn of(algorithm: Option<Algorithm>, jwk: &Jwk) -> Result<Self> {
        if jwk.is_private() {
            return Err(invalid(
                "the JWK holds a private key where a public one belongs: leave \"d\" and what follows from it out",
            ));
        }
        let key = PublicKey::new(agreed(algorithm, jwk)?, Point::of_jwk(jwk)?)?;
        match &jwk.kid {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    pub(super) fn new(algorithm: Algorithm, point: Point) -> Result<Self> {
        let verifies: &'static dyn VerificationAlgorithm = match (algorithm, &point) {
            (Algorithm::EdDSA, Point::Ed(_)) => &ED25519,
            (Algorithm::ES256, Point::Ec(point)) if point.len() == 65 => &ECDSA_P256_SHA256_FIXED,
            (Algorithm::ES384, Point::Ec(point)) if point.len() == 97 => &ECDSA_P384_SHA384_FIXED,
            (Algorithm::PS256, Point::Rsa { .. }) => &RSA_PSS_2048_8192_SHA256,
            (Algorithm::RS256, Point::Rsa { .. }) => &RSA_PKCS1_2048_8192_SHA256,
            _ => {
                let message =
                    format!("the key is not one for {algorithm}, but of another type or curve");
                return Err(invalid(message));
            }
        };
        let bytes = match &point {
            Point::Rsa { n, e } => {
                check_rsa(n, e)?;
                der::integers([&n[..], e])
            }
            Point::Ec(bytes) | Point::Ed(bytes) => bytes.clone(),
        };
        let parsed = ParsedPublicKey::new(verifies, bytes)
            .map_err(|error| rejected("the public key is none: its numbers do not fit", error))?;
        Ok(PublicKey {
            kid: thumbprint(&point.members_ref(&point.members())).into(),
            algorithm,
            point: Arc::new(point),
            parsed: Arc::new(parsed),
        })
    }

    /// The same key under another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if the name is empty or longer than 128 bytes.
    pub fn named(mut self, kid: &str) -> Result<Self> {
        self.kid = check_kid(kid)?;
        Ok(self)
    }

    /// The key's name, the `kid` of a header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as a JWK, as a `JwksService` (feature `jwks`) shows it.
    pub fn to_jwk(&self) -> String {
        let members = self.point.members();
        let mut json = vec![b'{'];
        let fixed = [
            ("kid", self.kid()),
            ("alg", self.algorithm.as_str()),
            ("use", "sig"),
        ];
        for (name, value) in fixed.into_iter().chain(self.point.members_ref(&members)) {
            crate::json::write_name(&mut json, name);
            crate::json::write_string(&mut json, value);
        }
        json.push(b'}');
        String::from_utf8(json).unwrap_or_default()
    }

    pub(super) fn point(&self) -> &Point {
        &self.point
    }

    pub(crate) fn print(&self) -> [u8; 32] {
        let members = self.point.members();
        Sha256::digest(thumbprint(&self.point.members_ref(&members))).into()
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

pub(super) fn rejected(message: &'static str, error: KeyRejected) -> Error {
    invalid(message).with_source(error)
}
