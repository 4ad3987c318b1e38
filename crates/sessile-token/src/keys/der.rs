//! As much of DER as keys need: to find the parts of a public key, and to write down a private RSA
//! key whose parts came as JSON.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];

/// What kind of key a `SubjectPublicKeyInfo` says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// The kind and the bits of a `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
pub(crate) fn public_key(der: &[u8]) -> Option<(Kind, &[u8])> {
    let info = whole(der, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (oid, parameters) = element(algorithm, OID)?;
    let curve = || element(parameters, OID).map(|(curve, _)| curve);
    let kind = match oid {
        RSA => Kind::Rsa,
        ED25519 => Kind::Ed25519,
        EC if curve() == Some(P256) => Kind::P256,
        EC if curve() == Some(P384) => Kind::P384,
        _ => return None,
    };
    let bits = whole(rest, BIT_STRING)?;
    let (0, bits) = bits.split_first().map(|(unused, bits)| (*unused, bits))? else {
        return None;
    };
    Some((kind, bits))
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1), without leading zeros.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = element(whole(der, SEQUENCE)?, INTEGER)?;
    let e = whole(rest, INTEGER)?;
    Some((trim(n), trim(e)))
}

/// A sequence of integers: `RSAPublicKey`, or with a leading zero version `RSAPrivateKey`.
pub(crate) fn integers<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut inner = Vec::new();
    for part in parts {
        let part = trim(part);
        // A leading one bit would make the number negative.
        let pad = part.first().is_none_or(|first| *first >= 0x80);
        inner.push(INTEGER);
        length(&mut inner, part.len() + usize::from(pad));
        if pad {
            inner.push(0);
        }
        inner.extend_from_slice(part);
    }
    let mut der = vec![SEQUENCE];
    length(&mut der, inner.len());
    der.append(&mut inner);
    der
}

pub(crate) fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn length(der: &mut Vec<u8>, length: usize) {
    let bytes = length.to_be_bytes();
    let bytes = trim(&bytes);
    if length >= 0x80 {
        der.push(0x80 | u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        der.extend_from_slice(bytes);
    } else {
        der.push(u8::try_from(length).unwrap_or(u8::MAX));
    }
}

/// The content of the element that is all of `der`.
fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    element(der, tag)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(content, _)| content)
}

/// The content of the first element, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        ..=0x7f => (usize::from(*short), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (high, rest) = rest.split_first()?;
            let (low, rest) = rest.split_first()?;
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_they_were_written() {
        let modulus = [0xff; 300];
        let der = integers([&modulus[..], &[1, 0, 1]]);
        assert_eq!(der[..8], [0x30, 0x82, 1, 0x36, 2, 0x82, 1, 0x2d]);
        assert_eq!(rsa_public_key(&der), Some((&modulus[..], &[1, 0, 1][..])));
        for cut in 0..der.len() {
            assert_eq!(rsa_public_key(&der[..cut]), None);
        }
        assert_eq!(integers([&[0][..]]), [0x30, 3, 2, 1, 0]);
    }
}
