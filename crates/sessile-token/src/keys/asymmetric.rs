//! Keys in two halves: who signs has both, who verifies has the public one.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_SHA256, RsaKeyPair, VerificationAlgorithm,
};
use sessile_core::{Error, ErrorKind, Result};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::der::{self, Kind};
use super::jwk::{Jwk, thumbprint};
use super::{Algorithm, agreed, check_kid, invalid, pem};
use crate::base64;

/// A key that only verifies. It is no secret.
#[derive(Clone)]
pub struct PublicKey {
    kid: Box<str>,
    algorithm: Algorithm,
    point: Arc<Point>,
    parsed: Arc<ParsedPublicKey>,
}

/// The public half as JWKs have it.
enum Point {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed: 4, x, y.
    Ec(Vec<u8>),
    Ed(Vec<u8>),
}

impl PublicKey {
    /// A key from PEM: `PUBLIC KEY`, or `RSA PUBLIC KEY`. Its name is its thumbprint (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it is no such key, not one for this algorithm, a weak one
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

    fn new(algorithm: Algorithm, point: Point) -> Result<Self> {
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
    /// [`ErrorKind::Invalid`] if the name is empty or longer than 128 bytes.
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
        let pair = match (algorithm, &*public.point) {
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
            Pair::Ec(_) if self.public.algorithm == Algorithm::ES256 => 64,
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

impl Point {
    fn of(kind: Kind, bits: &[u8]) -> Result<Self> {
        let length = match kind {
            Kind::Rsa => {
                let numbers = der::rsa_public_key(bits);
                let (n, e) = numbers.ok_or_else(|| invalid("the key is no RSA public key"))?;
                return Ok(Point::Rsa {
                    n: n.to_vec(),
                    e: e.to_vec(),
                });
            }
            Kind::P256 => 65,
            Kind::P384 => 97,
            Kind::Ed25519 if bits.len() == 32 => return Ok(Point::Ed(bits.to_vec())),
            Kind::Ed25519 => 0,
        };
        if bits.len() == length && bits.first() == Some(&4) {
            return Ok(Point::Ec(bits.to_vec()));
        }
        Err(invalid(
            "the public key has another length than its type, or is compressed",
        ))
    }

    fn of_jwk(jwk: &Jwk) -> Result<Self> {
        let other = || {
            invalid(
                "the JWK is of another kind: \"kty\" is \"RSA\", \"EC\" on P-256 or P-384, or \"OKP\" on Ed25519",
            )
        };
        match (&*jwk.kty, jwk.crv.as_deref()) {
            ("RSA", None) => Ok(Point::Rsa {
                n: der::trim(jwk.need("n")?).to_vec(),
                e: der::trim(jwk.need("e")?).to_vec(),
            }),
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let kind = if curve == "P-256" {
                    Kind::P256
                } else {
                    Kind::P384
                };
                let (x, y) = (jwk.need("x")?, jwk.need("y")?);
                if x.len() != y.len() {
                    return Err(invalid("the JWK's \"x\" and \"y\" have different lengths"));
                }
                Point::of(kind, &[&[4], x, y].concat())
            }
            ("OKP", Some("Ed25519")) => Point::of(Kind::Ed25519, jwk.need("x")?),
            _ => Err(other()),
        }
    }

    /// Name and value of what a JWK has to have, in the order of RFC 7638.
    fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Point::Rsa { n, e } => vec![
                ("e", base64::encode(e)),
                ("kty", "RSA".into()),
                ("n", base64::encode(n)),
            ],
            Point::Ec(point) => {
                let (x, y) = point[1..].split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                vec![
                    ("crv", curve.into()),
                    ("kty", "EC".into()),
                    ("x", base64::encode(x)),
                    ("y", base64::encode(y)),
                ]
            }
            Point::Ed(x) => vec![
                ("crv", "Ed25519".into()),
                ("kty", "OKP".into()),
                ("x", base64::encode(x)),
            ],
        }
    }

    fn members_ref<'a>(
        &self,
        members: &'a [(&'static str, String)],
    ) -> Vec<(&'static str, &'a str)> {
        members
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect()
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

fn rejected(message: &'static str, error: aws_lc_rs::error::KeyRejected) -> Error {
    invalid(message).with_source(error)
}

/// Sizes after RFC 7518, sections 3.3 and 3.5.
fn check_rsa(n: &[u8], e: &[u8]) -> Result<()> {
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(invalid(format!(
            "the RSA key has {bits} bits: it needs at least 2048, better 3072, and at most 8192"
        )));
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !is_odd(n) || !is_odd(e) || e == [1] {
        return Err(invalid(
            "the RSA key is none: its modulus and exponent have to be odd, and the exponent more than 1",
        ));
    }
    if is_from_faulty_chips(n) {
        return Err(invalid(
            "the RSA key was made by chips whose keys can be broken (ROCA, CVE-2017-15361): make another one",
        ));
    }
    Ok(())
}

/// Keys of a faulty library are powers of 65537 modulo each small prime (CVE-2017-15361); of
/// others, one in 2^27 or fewer is.
fn is_from_faulty_chips(n: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES.iter().all(|prime| {
        let rest = n
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * (65537 % prime) % prime;
            power == rest
        })
    })
}
