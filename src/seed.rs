//! The root seed, and the seeds derived from it.
//!
//! A derived seed depends only on its purpose and its names: not on order, concurrency, or which other cases exist. The
//! derivation is part of the cache key and never changes.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use rand_pcg::Pcg64Mcg;
use sha2::{Digest, Sha256};

/// The seed given by `--seed` or `seed:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Root(pub u64);

impl Root {
    /// The first 31 bits of SHA-256 over the root and the parts, each part prefixed with its length.
    ///
    /// 31 bits fit every API that takes a seed.
    #[must_use]
    pub fn derive(self, parts: &[&str]) -> u32 {
        let digest = self.digest(parts);
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 1
    }

    /// A reproducible stream of random numbers for a purpose.
    #[must_use]
    pub fn stream(self, parts: &[&str]) -> Pcg64Mcg {
        let digest = self.digest(parts);
        let mut state = [0; 16];
        state.copy_from_slice(&digest[..16]);
        Pcg64Mcg::new(u128::from_be_bytes(state))
    }

    fn digest(self, parts: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_be_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Identifies a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RunId(u128);

impl RunId {
    /// A new id that no other run has.
    #[must_use]
    pub fn fresh() -> Self {
        // Hash keys are random in every process.
        let random = || u128::from(RandomState::new().build_hasher().finish());
        Self(random() << 64 | random())
    }

    /// The id of a conversation of the run, as a UUID.
    #[must_use]
    pub fn conversation(self, parts: &[&str]) -> String {
        let run = self.0.to_string();
        let parts = [&[run.as_str()], parts].concat();
        let digest = Root::default().digest(&parts);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // Version 8 of RFC 9562 is free in all other bits.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_stable_and_differ_by_purpose() {
        assert_eq!(Root(7).derive(&["target", "suite", "case", "0"]), 1_743_057_059);
        assert_ne!(Root(7).derive(&["ab", "c"]), Root(7).derive(&["a", "bc"]));
        assert_ne!(Root(7).derive(&["a"]), Root(8).derive(&["a"]));
    }
}
