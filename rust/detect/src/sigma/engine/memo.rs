//! What values meet, kept by value: most values of most fields have been seen before.
//!
//! The table is of a fixed size and has one place for each hash, so that nobody can make it slow or
//! large; a value that falls on another's place takes it. A value is known again by 128 bits of a
//! hash with secrets of this process: two values that share them by chance are not to be expected,
//! and cannot be made on purpose without the secrets.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Places of the table.
const PLACES: usize = 1 << 16;
/// So many verdicts are kept; then all begins anew.
const VERDICTS_MAX: usize = 1 << 14;

/// What one value, or none, means for the rules of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Rules that are still possible; nothing where all are.
    pub pass: Option<Box<[u64]>>,
    /// Rules whose clause of that layer, shared with other slots, is met.
    pub shared: Box<[(u8, Box<[u64]>)]>,
}

/// A value's hash.
type Mark = (u64, u64);

/// The table of one thread.
#[derive(Debug)]
pub struct Memo {
    secrets: [u64; 4],
    places: Vec<(Mark, u32)>,
    verdicts: Vec<Verdict>,
    ids: HashMap<Verdict, u32>,
}

impl Default for Memo {
    fn default() -> Self {
        let random = RandomState::new();
        let secrets = [1_u64, 2, 3, 4].map(|number| random.hash_one(number));
        Self { secrets, places: Vec::new(), verdicts: Vec::new(), ids: HashMap::new() }
    }
}

impl Memo {
    /// What is asked about: a value of a slot of a plan, whose `key` this is.
    pub fn mark(&self, key: u64, value: &str) -> Mark {
        let [s0, s1, s2, s3] = self.secrets;
        let length = value.len() as u64;
        let (mut one, mut two) = (s0 ^ key, s1 ^ key.rotate_left(32));
        let mut chunks = value.as_bytes().chunks_exact(16);
        let mut mix = |chunk: &[u8; 16]| {
            let (low, high) = halves(chunk);
            one = fold(low ^ s2, high ^ one);
            two = fold(low ^ s3, high ^ two);
        };
        for chunk in &mut chunks {
            mix(chunk.try_into().expect("a chunk has sixteen bytes"));
        }
        let rest = chunks.remainder();
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        mix(&last);
        (fold(one ^ s3, length ^ s2), fold(two ^ s2, length ^ s0))
    }

    /// The verdict on what was asked about, if it is kept.
    pub fn known(&self, mark: Mark) -> Option<&Verdict> {
        let (known, verdict) = self.places.get(mark.0 as usize % PLACES)?;
        (*known == mark).then(|| &self.verdicts[*verdict as usize])
    }

    /// Keeps a verdict.
    pub fn keep(&mut self, mark: Mark, verdict: &Verdict) {
        if self.places.is_empty() || self.verdicts.len() == VERDICTS_MAX {
            self.places.clear();
            self.places.resize(PLACES, ((0, 0), 0));
            self.verdicts.clear();
            self.ids.clear();
        }
        let id = self.ids.get(verdict).copied().unwrap_or_else(|| {
            let next = self.verdicts.len() as u32;
            self.verdicts.push(verdict.clone());
            self.ids.insert(verdict.clone(), next);
            next
        });
        self.places[mark.0 as usize % PLACES] = (mark, id);
    }
}

fn halves(chunk: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*chunk);
    (both as u64, (both >> 64) as u64)
}

/// The two halves of a product, one over the other.
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// Mixes a word into a hash that is nobody's secret.
pub fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}
