//! Keys in two halves: who signs has both.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PSS_SHA256, RsaKeyPair,
};
use sessile_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::der::{self, Kind};
use super::jwk::Jwk;
use super::point::Point;
use super::public::{PublicKey, rejected};
use super::{Algorithm, agreed, invalid, pem};

/// A key that signs, and verifies with its public half. Wiped from memory when dropped, never
/// shown.
#[derive(Clone)]
pub struct PrivateKey {
    public: PublicKey,
    pair: Arc<Pair>,
}

enum Pair {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl PrivateKey {
    /// A key from PEM: `PRIVATE KEY` (PKCS#8), `EC PRIVATE KEY` or `RSA PRIVATE KEY`. Its name is
    /// the thumbprint of its public half (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it is no such key, encrypted, not one for this algorithm, or weak
    /// (see [`PublicKey::from_pem`]), and for `RS256`, which only verifies.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self> {
        let (label, bytes) = pem::decode(text).ok_or_else(|| invalid("the key is no PEM"))?;
        let failed = |error| {
            let wanted = match algorithm {
                Algorithm::PS256 => "the PEM holds no private RSA key of 2048 to 8192 bits",
                _ => "the PEM holds no private key for this algorithm",
            };
            rejected(wanted, error)
        };
        let pair = match (label, algorithm) {
            ("PRIVATE KEY", Algorithm::EdDSA) => {
                Pair::Ed(Ed25519KeyPair::from_pkcs8(&bytes).map_err(failed)?)
            }
            ("PRIVATE KEY", Algorithm::ES256 | Algorithm::ES384) => {
                Pair::Ec(EcdsaKeyPair::from_pkcs8(curve(algorithm), &bytes).map_err(failed)?)
            }
            ("EC PRIVATE KEY", Algorithm::ES256 | Algorithm::ES384) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve(algorithm), &bytes);
                Pair::Ec(pair.map_err(failed)?)
            }
            ("PRIVATE KEY", Algorithm::PS256) => {
                Pair::Rsa(RsaKeyPair::from_pkcs8(&bytes).map_err(failed)?)
            }
            ("RSA PRIVATE KEY", Algorithm::PS256) => {
                Pair::Rsa(RsaKeyPair::from_der(&bytes).map_err(failed)?)
            }
            (_, Algorithm::RS256) => return Err(signs_not()),
            _ => {
                return Err(invalid(format!(
                    "the PEM holds {label:?}, which is no private key for {algorithm}"
                )));
            }
        };
        PrivateKey::new(algorithm, pair)
    }

    /// A key as a private JWK, with its `kid` and `alg` if it has them.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), for another use, for halves that do not fit, and where
    /// neither the JWK nor the caller names an algorithm.
    pub fn from_jwk(algorithm: Option<Algorithm>, text: &str) -> Result<Self> {
        PrivateKey::of(algorithm, &Jwk::parse(text, "sig", &["sign"])?)
    }

    pub(super) fn of(algorithm: Option<Algorithm>, jwk: &Jwk) -> Result<Self> {
        let algorithm = agreed(algorithm, jwk)?;
        let d = jwk.need("d")?;
        // Says what is wrong with type, curve and size, before the halves are held together.
        let point = Point::of_jwk(jwk)?;
        let public = PublicKey::new(algorithm, point)?;
        let failed = |error| rejected("the JWK's private half does not fit its public one", error);
        let pair = match (algorithm, public.point()) {
            (Algorithm::EdDSA, Point::Ed(x)) if d.len() == 32 => {
                Pair::Ed(Ed25519KeyPair::from_seed_and_public_key(d, x).map_err(failed)?)
            }
            (Algorithm::ES256 | Algorithm::ES384, Point::Ec(point)) => {
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm), d, point);
                Pair::Ec(pair.map_err(failed)?)
            }
            (Algorithm::PS256, Point::Rsa { n, e }) => {
                let mut parts = vec![&[][..], n, e, d];
                for name in ["p", "q", "dp", "dq", "qi"] {
                    parts.push(jwk.need(name)?);
                }
                let der = Zeroizing::new(der::integers(parts));
                Pair::Rsa(RsaKeyPair::from_der(&der).map_err(failed)?)
            }
            (Algorithm::RS256, _) => return Err(signs_not()),
            _ => {
                return Err(invalid(
                    "the JWK's private half does not fit its public one",
                ));
            }
        };
        let key = PrivateKey::new(algorithm, pair)?;
        match &jwk.kid {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    fn new(algorithm: Algorithm, pair: Pair) -> Result<Self> {
        let point = match &pair {
            Pair::Ed(pair) => Point::of(Kind::Ed25519, pair.public_key().as_ref()),
            Pair::Ec(pair) if algorithm == Algorithm::ES256 => {
                Point::of(Kind::P256, pair.public_key().as_ref())
            }
            Pair::Ec(pair) => Point::of(Kind::P384, pair.public_key().as_ref()),
            Pair::Rsa(pair) => Point::of(Kind::Rsa, pair.public_key().as_ref()),
        }?;
        Ok(PrivateKey {
            public: PublicKey::new(algorithm, point)?,
            pair: Arc::new(pair),
        })
    }

    /// The same key under another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the name is empty or longer than 128 bytes.
    pub fn named(mut self, kid: &str) -> Result<Self> {
        self.public = self.public.named(kid)?;
        Ok(self)
    }

    /// The half that may be shown.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        // Not that it happens: the generator of the system would have to fail.
        let failed = |error| {
            Error::new(ErrorKind::Unavailable, "the token could not be signed").with_source(error)
        };
        let random = SystemRandom::new();
        Ok(match &*self.pair {
            Pair::Ed(pair) => pair.try_sign(message).map_err(failed)?.as_ref().to_vec(),
            Pair::Ec(pair) => {
                let signature = pair.sign(&random, message).map_err(failed)?;
                signature.as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                signature
            }
        })
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_len(&self) -> usize {
        match &*self.pair {
            Pair::Ed(_) => 64,
            Pair::Ec(_) if self.public.algorithm() == Algorithm::ES256 => 64,
            Pair::Ec(_) => 96,
            Pair::Rsa(pair) => pair.public_modulus_len(),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .field("private", &"***")
            .finish()
    }
}

fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

fn signs_not() -> Error {
    invalid("RS256 only verifies: sign with EdDSA, ES256 or, if it has to be RSA, with PS256")
}
