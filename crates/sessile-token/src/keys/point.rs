//! The public half of a key: its numbers, and whether they are fit to be used.

use sessile_core::Result;

use super::der::{self, Kind};
use super::invalid;
use super::jwk::Jwk;
use crate::base64;

/// The public half as JWKs have it.
pub(crate) enum Point {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed: 4, x, y.
    Ec(Vec<u8>),
    Ed(Vec<u8>),
}

impl Point {
    pub(crate) fn of(kind: Kind, bits: &[u8]) -> Result<Self> {
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

    pub(crate) fn of_jwk(jwk: &Jwk) -> Result<Self> {
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
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
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

    pub(crate) fn members_ref<'a>(
        &self,
        members: &'a [(&'static str, String)],
    ) -> Vec<(&'static str, &'a str)> {
        members
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect()
    }
}

/// Sizes after RFC 7518, sections 3.3 and 3.5.
pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<()> {
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
