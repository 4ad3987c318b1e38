//! What our stores keep in place of a cookie's secret.
//!
//! In tower-sessions an id is the cookie's value and the store's key in one: whoever reads the
//! store can be anybody. Here the store's key and the verifier's hash are two digests of it.

use sessile_core::{SessionId, VerifierHash};
use sha2::{Digest as _, Sha256};

/// The store's key: the first 16 bytes of `SHA-256("sessile/tower-sessions/sid/1" ‖ id)`.
pub(crate) fn sid(id: i128) -> SessionId {
    let mut sid = [0; 16];
    sid.copy_from_slice(&digest(b"sessile/tower-sessions/sid/1", id)[..16]);
    SessionId::from_bytes(sid)
}

/// The hash that the record keeps: `SHA-256("sessile/tower-sessions/verifier/1" ‖ id)`. No
/// verifier of ours has it, for those are hashed bare and are 16 bytes long: in a strategy over
/// the same store, the record is opened by no credential.
pub(crate) fn hash(id: i128) -> VerifierHash {
    VerifierHash::from_bytes(digest(b"sessile/tower-sessions/verifier/1", id))
}

/// An id is 16 random bytes, so it can't be guessed from a digest, and needs no slow one. Least
/// significant byte first, as in the cookie.
fn digest(purpose: &[u8], id: i128) -> [u8; 32] {
    let digest = Sha256::new().chain_update(purpose);
    digest.chain_update(id.to_le_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fixes the derivation, computed with Python's `hashlib`: a session of one release is found by the
    /// next.
    #[test]
    fn the_derivation_has_a_golden_vector() {
        let id = i128::from_le_bytes([7; 16]);
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        assert_eq!(hex(sid(id).as_bytes()), "026250251524311ada1e41209a11948e");
        assert_eq!(
            hex(hash(id).as_bytes()),
            "387ba4603cfdeda65f21562478d19371eb1630159518927878e0bd9f733ed0e5"
        );
    }
}
