//! What a token says of its session and a record has no field for.
//!
//! It rides where other strategies keep the hash of the verifier. A token has no verifier: the
//! signature proves it, so the field is free, nobody compares it, and what is in it is no secret.

use std::time::Duration;

use sessile_core::VerifierHash;

/// Tells these bytes from a hash: of those, one in 2^120 begins so.
const MARK: [u8; 15] = *b"sessile/token/1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    /// The subject's epoch when it logged in.
    pub(crate) epoch: Option<u64>,
    /// How long the session lives without being used, by its own account.
    pub(crate) idle: Duration,
}

impl Own {
    pub(crate) fn to_hash(self) -> VerifierHash {
        let mut bytes = [0; 32];
        bytes[..15].copy_from_slice(&MARK);
        bytes[15] = u8::from(self.epoch.is_some());
        bytes[16..24].copy_from_slice(&self.epoch.unwrap_or(0).to_be_bytes());
        let idle = u64::try_from(self.idle.as_millis()).unwrap_or(u64::MAX);
        bytes[24..].copy_from_slice(&idle.to_be_bytes());
        VerifierHash::from_bytes(bytes)
    }

    /// `None` if it is a hash: of a record that was in no token yet.
    pub(crate) fn of_hash(hash: &VerifierHash) -> Option<Self> {
        let rest = hash.as_bytes().strip_prefix(&MARK)?;
        let (flag, rest) = rest.split_first()?;
        let (epoch, idle) = rest.split_first_chunk::<8>()?;
        Some(Own {
            epoch: (*flag == 1).then_some(u64::from_be_bytes(*epoch)),
            idle: Duration::from_millis(u64::from_be_bytes(idle.try_into().ok()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use sessile_core::Verifier;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_hash_is_not() {
        for epoch in [None, Some(0), Some(u64::MAX)] {
            let idle = Duration::from_millis(900_001);
            let own = Own { epoch, idle };
            assert_eq!(Own::of_hash(&own.to_hash()), Some(own));
        }
        assert_eq!(Own::of_hash(&Verifier::random().hash()), None);
    }
}
