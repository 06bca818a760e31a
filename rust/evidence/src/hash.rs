//! The two hashes of RFC 6962 over SHA-256, by the raw compression function.
//!
//! A record is hashed once when it comes and costs one node on average. Of a single leaf, blocks are
//! handed to the compression function straight from where they stand; only the first and the last
//! are copied. Where many are known at once, two are hashed in little more than the time of one.

mod many;
mod two;

use sha2::block_api::compress256;

pub(crate) use many::{Leaves, parents};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Root of the tree of size 0: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// A state between two blocks.
type State = [u32; 8];

const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const BLOCK: usize = 64;

/// Hash of a leaf: `SHA-256(0x00 ‖ parts)`.
pub fn leaf_hash(parts: &[&[u8]]) -> Hash {
    let mut leaf = LeafHasher::new();
    for part in parts {
        leaf.update(part);
    }
    leaf.finish()
}

/// Hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut state = INITIAL;
    compress256(&mut state, &node_blocks(left, right));
    to_bytes(state)
}

/// The message of an inner node.
fn node_blocks(left: &Hash, right: &Hash) -> [[u8; BLOCK]; 2] {
    let mut blocks = [[0; BLOCK]; 2];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(left);
    blocks[0][33..].copy_from_slice(&right[..31]);
    blocks[1][0] = right[31];
    blocks[1][1] = 0x80;
    // 65 bytes are 520 bits.
    blocks[1][62..].copy_from_slice(&520_u16.to_be_bytes());
    blocks
}

/// Hash that stands for a lost record whose own hash is not known.
pub fn lost_leaf(sequence: u64) -> Hash {
    leaf_hash(&[b"lost", &sequence.to_le_bytes()])
}

/// A leaf whose record comes in parts.
#[derive(Debug, Clone)]
pub struct LeafHasher {
    state: State,
    block: [u8; BLOCK],
    filled: usize,
    len: u64,
}

impl LeafHasher {
    /// A leaf over no bytes yet.
    pub fn new() -> Self {
        // The prefix 0x00 of a leaf is the first byte of the first block.
        Self { state: INITIAL, block: [0; BLOCK], filled: 1, len: 1 }
    }

    /// Adds bytes of the record.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len() as u64;
        if self.filled > 0 {
            let taken = bytes.len().min(BLOCK - self.filled);
            let (head, rest) = bytes.split_at(taken);
            self.block[self.filled..self.filled + taken].copy_from_slice(head);
            self.filled += taken;
            bytes = rest;
            if self.filled < BLOCK {
                return;
            }
            compress256(&mut self.state, &[self.block]);
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
        self.block[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// The hash.
    pub fn finish(mut self) -> Hash {
        let mut last = [[0; BLOCK]; 2];
        last[0][..self.filled].copy_from_slice(&self.block[..self.filled]);
        last[0][self.filled] = 0x80;
        let count = if self.filled < BLOCK - 8 { 1 } else { 2 };
        last[count - 1][BLOCK - 8..].copy_from_slice(&(self.len * 8).to_be_bytes());
        compress256(&mut self.state, &last[..count]);
        to_bytes(self.state)
    }
}

impl Default for LeafHasher {
    fn default() -> Self {
        Self::new()
    }
}

fn to_bytes(state: State) -> Hash {
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_empty_root_is_sha256_of_nothing() {
        assert_eq!(EMPTY_ROOT, <Hash>::from(Sha256::digest(b"")));
    }

    #[test]
    fn leaves_of_every_length_around_the_blocks_are_sha256() {
        let bytes = [0xA5; 260];
        for len in 0..bytes.len() {
            let plain: Hash =
                Sha256::new().chain_update([0]).chain_update(&bytes[..len]).finalize().into();
            assert_eq!(leaf_hash(&[&bytes[..len]]), plain, "{len}");
        }
    }

    proptest! {
        #[test]
        fn parts_do_not_change_a_leaf(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let plain: Hash = Sha256::new().chain_update([0]).chain_update(parts.concat()).finalize().into();
            prop_assert_eq!(leaf_hash(&slices), plain);
        }

        #[test]
        fn a_node_is_sha256(left: [u8; 32], right: [u8; 32]) {
            let plain: Hash = Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into();
            prop_assert_eq!(node_hash(&left, &right), plain);
        }
    }
}
