//! A keyed hash (HMAC, RFC 2104) that has absorbed what all its messages begin with.

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, EagerHash, FixedOutputCore as _, UpdateCore as _};
use hmac::digest::{CtOutput, InvalidLength, KeyInit as _, Output};

/// The key and the begin of a message, absorbed: a copy goes on from there, so that nothing is
/// hashed twice for two messages. Works on the block-level interface of the library, whose
/// wrapper around it costs a short message a tenth of its time.
pub(super) struct Absorbed<D: EagerHash> {
    core: HmacCore<D>,
    buffer: Buffer<HmacCore<D>>,
}

impl<D: EagerHash> Absorbed<D> {
    pub(super) fn new(key: &[u8]) -> Result<Self, InvalidLength> {
        Ok(Absorbed {
            core: HmacCore::new_from_slice(key)?,
            buffer: Buffer::<HmacCore<D>>::default(),
        })
    }

    /// The same after more bytes.
    pub(super) fn after(&self, bytes: &[u8]) -> Self {
        let mut next = self.clone();
        let core = &mut next.core;
        next.buffer
            .digest_blocks(bytes, |blocks| core.update_blocks(blocks));
        next
    }

    /// The tag of what was absorbed and the rest of the message.
    pub(super) fn tag(&self, rest: &[u8]) -> CtOutput<HmacCore<D>> {
        let mut next = self.after(rest);
        let mut tag = Output::<HmacCore<D>>::default();
        next.core.finalize_fixed_core(&mut next.buffer, &mut tag);
        CtOutput::new(tag)
    }

    /// Whether this is that tag, all of it; compared in constant time.
    pub(super) fn verify(&self, rest: &[u8], tag: &[u8]) -> bool {
        let tag = Output::<HmacCore<D>>::try_from(tag);
        tag.is_ok_and(|tag| self.tag(rest) == CtOutput::new(tag))
    }
}

impl<D: EagerHash> Clone for Absorbed<D> {
    fn clone(&self) -> Self {
        Absorbed {
            core: self.core.clone(),
            buffer: self.buffer.clone(),
        }
    }
}
