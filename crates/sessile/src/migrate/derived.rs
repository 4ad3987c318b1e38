//! The derived credential: what an old session becomes, the same on every node.
//!
//! Each part is the first 16 bytes of HMAC-SHA256 under a key derived from the migration's. The
//! new id comes from the old id, so that a session can be ended by whoever knows only that; the
//! new verifier comes from the hash of the old one, so that only who presents the old verifier
//! opens the new session, also when the old record is gone.

use sessile_core::{Claim, KeyRing, Macs, MasterKey, SessionId, Verifier, VerifierHash};

const PURPOSE: &str = "sessile/migrate/1";

#[derive(Debug)]
pub(super) struct Keys(Macs);

/// What an old session becomes.
#[derive(Debug)]
pub(super) struct Derived {
    /// What it is derived from.
    pub(super) old: Claim,
    pub(super) sid: SessionId,
    pub(super) verifier: Verifier,
    /// The verifier until everything that was written to the old session is here. No client ever
    /// gets it.
    pub(super) pending: Verifier,
    /// The same, once somebody else has taken over from whoever began.
    pub(super) taken: Verifier,
}

impl Keys {
    pub(super) fn new(key: MasterKey) -> Self {
        Keys(Macs::new(KeyRing::new(key), PURPOSE, ""))
    }

    pub(super) fn sid(&self, old: &SessionId) -> SessionId {
        SessionId::from_bytes(self.0.tag("sid", old.as_bytes()))
    }

    /// The verifier of the new session, for who holds the old one.
    pub(super) fn verifier(&self, new: &SessionId, old: Option<&VerifierHash>) -> Verifier {
        self.secret("verifier", new, old)
    }

    pub(super) fn derive(&self, claim: &Claim) -> Derived {
        let sid = self.sid(&claim.sid);
        Derived {
            verifier: self.verifier(&sid, claim.hash.as_ref()),
            pending: self.secret("pending", &sid, claim.hash.as_ref()),
            taken: self.secret("taken", &sid, claim.hash.as_ref()),
            old: *claim,
            sid,
        }
    }

    fn secret(&self, what: &str, new: &SessionId, old: Option<&VerifierHash>) -> Verifier {
        let mut body = new.as_bytes().to_vec();
        if let Some(hash) = old {
            body.extend(hash.as_bytes());
        }
        Verifier::from_bytes(self.0.tag(what, &body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(first: u8) -> Keys {
        let secret: Vec<u8> = (first..first + 32).collect();
        Keys::new(MasterKey::new("k", secret).unwrap())
    }

    #[test]
    fn all_nodes_derive_the_same_and_another_key_verifier_or_session_something_else() {
        let claim = |sid: u8, verifier: u8| Claim {
            sid: SessionId::from_bytes([sid; 16]),
            hash: Some(Verifier::from_bytes([verifier; 16]).hash()),
        };
        let text = |derived: Derived| (derived.sid, derived.verifier.expose());
        let one = text(keys(0).derive(&claim(1, 2)));
        assert_eq!(one, text(keys(0).derive(&claim(1, 2))));
        let other = text(keys(0).derive(&claim(1, 3)));
        assert!(other.0 == one.0 && other.1 != one.1);
        for (first, claim) in [(0, claim(2, 2)), (1, claim(1, 2))] {
            let other = text(keys(first).derive(&claim));
            assert!(other.0 != one.0 && other.1 != one.1);
        }
        let derived = keys(0).derive(&claim(1, 2));
        let three = [&derived.verifier, &derived.pending, &derived.taken].map(Verifier::expose);
        assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2]);
    }

    /// Fixes the derivation: nodes of two releases come to the same. Computed with Python's `hmac`
    /// and `hashlib`.
    #[test]
    fn the_derivation_has_a_golden_vector() {
        let derived = keys(0).derive(&Claim {
            sid: SessionId::from_bytes([1; 16]),
            hash: Some(Verifier::from_bytes([2; 16]).hash()),
        });
        let hex = |bytes: [u8; 16]| bytes.map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex(*derived.sid.as_bytes()), SID);
        assert_eq!(hex(derived.verifier.expose()), VERIFIER);
    }

    const SID: &str = "f7449a15cc0756c9b2c9b92c96d8be44";
    const VERIFIER: &str = "8e8e97e111cf5372f8640c9aa7f54ccc";
}
