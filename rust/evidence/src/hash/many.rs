//! Many leaves, or a level of nodes, hashed together: two at a time.

use sha2::block_api::compress256;

use super::two::compress_two;
use super::{BLOCK, Hash, INITIAL, node_blocks, node_hash, to_bytes};

/// Leaves that wait to be hashed together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaves {
    /// The padded messages, one after the other: whole blocks.
    blocks: Vec<u8>,
    /// Where each ends, in blocks.
    ends: Vec<usize>,
}

impl Leaves {
    /// Adds the leaf of a record.
    pub fn push(&mut self, record: &[u8]) {
        // The prefix 0x00 of a leaf, the bit after its end, and its length.
        self.blocks.push(0);
        self.blocks.extend_from_slice(record);
        self.blocks.push(0x80);
        let end = (self.blocks.len() + 8).div_ceil(BLOCK);
        self.blocks.resize(end * BLOCK - 8, 0);
        let bits = (1 + record.len() as u64) * 8;
        self.blocks.extend_from_slice(&bits.to_be_bytes());
        self.ends.push(end);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.blocks.len()
    }

    /// Their hashes, in order; none waits after it.
    pub fn take(&mut self) -> Vec<Hash> {
        let hashes = hash_all(self.blocks.as_chunks().0, &self.ends);
        self.blocks.clear();
        self.ends.clear();
        hashes
    }
}

/// The nodes over the pairs of a level; the last of an odd number has none.
pub(crate) fn parents(level: &[Hash]) -> Vec<Hash> {
    let (pairs, _) = level.as_chunks::<2>();
    let mut nodes = vec![[0; 32]; pairs.len()];
    let (twos, _) = nodes.as_chunks_mut::<2>();
    for (two, pairs) in twos.iter_mut().zip(pairs.chunks_exact(2)) {
        let [one, other] = [0, 1].map(|at| node_blocks(&pairs[at][0], &pairs[at][1]));
        let mut states = [INITIAL; 2];
        compress_two(&mut states, [&one, &other]);
        *two = states.map(to_bytes);
    }
    if let (Some(node), 1, Some([left, right])) = (nodes.last_mut(), pairs.len() % 2, pairs.last())
    {
        *node = node_hash(left, right);
    }
    nodes
}

/// A message under way.
struct Lane<'a> {
    index: usize,
    left: &'a [[u8; BLOCK]],
}

/// Hashes the messages that end where `ends` says.
fn hash_all(blocks: &[[u8; BLOCK]], ends: &[usize]) -> Vec<Hash> {
    let mut hashes = vec![[0; 32]; ends.len()];
    let begins = std::iter::once(&0).chain(ends);
    let mut messages = begins
        .zip(ends)
        .enumerate()
        .map(|(index, (begin, end))| Lane { index, left: &blocks[*begin..*end] });
    let mut states = [INITIAL; 2];
    let (mut first, mut second) = (messages.next(), messages.next());
    while let (Some(one), Some(two)) = (&mut first, &mut second) {
        let count = one.left.len().min(two.left.len());
        compress_two(&mut states, [one.left, two.left]);
        one.left = &one.left[count..];
        two.left = &two.left[count..];
        for (lane, state) in [&mut first, &mut second].into_iter().zip(&mut states) {
            if let Some(done) = lane.take_if(|lane| lane.left.is_empty()) {
                hashes[done.index] = to_bytes(*state);
                *state = INITIAL;
                *lane = messages.next();
            }
        }
    }
    for (lane, state) in [first, second].into_iter().zip(&mut states) {
        if let Some(alone) = lane {
            compress256(state, alone.left);
            hashes[alone.index] = to_bytes(*state);
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{leaf_hash, node_hash};
    use super::*;

    #[test]
    fn leaves_of_every_pair_of_lengths_around_the_blocks_are_those_hashed_alone() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut leaves = Leaves::default();
        for one in 0..140 {
            for two in [0, 1, 54, 55, 56, 63, 64, 118, 119, 120, 200, 256] {
                leaves.push(&bytes[..one]);
                leaves.push(&bytes[..two]);
                let alone = [leaf_hash(&[&bytes[..one]]), leaf_hash(&[&bytes[..two]])];
                assert_eq!(leaves.take(), alone, "{one}, {two}");
            }
        }
    }

    proptest! {
        #[test]
        fn many_leaves_are_those_hashed_alone(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..40)
        ) {
            let mut leaves = Leaves::default();
            for record in &records {
                leaves.push(record);
            }
            prop_assert_eq!(leaves.len(), records.len());
            let alone: Vec<_> = records.iter().map(|record| leaf_hash(&[record])).collect();
            prop_assert_eq!(leaves.take(), alone);
            prop_assert_eq!(leaves.bytes(), 0);
        }

        #[test]
        fn a_level_of_nodes_is_that_hashed_one_by_one(level: Vec<Hash>) {
            let alone: Vec<_> = level.as_chunks().0.iter().map(|[a, b]| node_hash(a, b)).collect();
            prop_assert_eq!(parents(&level), alone);
        }
    }
}
