//! What is in the maps: identifiers and records, and the randomness that picks among them.

use std::{
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

/// As a session's public identifier: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Id([u8; 16]);

impl Id {
    pub fn hash(&self) -> u64 {
        let (first, _) = self.0.split_at(8);
        u64::from_ne_bytes(first.try_into().expect("eight bytes"))
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash());
    }
}

/// The identifiers are random, and only the server makes the ones that are inserted: nothing is left to be mixed.
pub type BuildIdHasher = BuildHasherDefault<IdHasher>;

#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("identifiers hash themselves to one u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// About the size of a session's record without its data.
pub struct Record {
    pub version: u64,
    rest: [u8; 144],
}

impl Record {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            version: 0,
            rest: [7; 144],
        })
    }

    pub fn next(&self) -> Arc<Self> {
        Arc::new(Self {
            version: self.version + 1,
            rest: self.rest,
        })
    }
}

/// SplitMix64: small, fast, and the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Seeds are small numbers; far apart, so that the sequences do not overlap.
        Self(seed << 56)
    }

    pub fn id(&mut self) -> Id {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_ne_bytes());
        bytes[8..].copy_from_slice(&self.next().to_ne_bytes());
        Id(bytes)
    }

    pub fn one_of<'a>(&mut self, ids: &'a [Id]) -> &'a Id {
        // The high half of a product instead of a remainder: no division in the measured loop.
        let index = (u128::from(self.next()) * ids.len() as u128) >> 64;
        &ids[index as usize]
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
