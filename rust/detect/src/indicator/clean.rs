//! Texts that are known to hold nothing: most texts have been seen before.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

/// How many are kept; a newer one takes the place of an older. A power of two.
const SLOTS: usize = 1 << 14;

/// Hashes of texts. Their key is random, so nobody outside can make two texts alike.
#[derive(Debug)]
pub(super) struct Clean {
    hasher: RandomState,
    slots: Box<[u64]>,
}

impl Default for Clean {
    fn default() -> Self {
        Self { hasher: RandomState::default(), slots: vec![0; SLOTS].into_boxed_slice() }
    }
}

impl Clean {
    /// What stands for a text.
    pub fn key(&self, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        // Never that of an empty slot.
        hasher.finish() | 1 << 63
    }

    pub fn has(&self, key: u64) -> bool {
        self.slots[key as usize % SLOTS] == key
    }

    pub fn add(&mut self, key: u64) {
        self.slots[key as usize % SLOTS] = key;
    }
}
