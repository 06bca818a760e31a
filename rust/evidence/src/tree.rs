//! The Merkle tree of RFC 6962, kept as its peaks: all that appending and the root need.

use crate::hash::{EMPTY_ROOT, Hash, Leaves, lost_leaf, node_hash, parents};

/// More lost records in one place than this are not hashed one by one: [`Frontier::unknown`].
pub const LOST_HASHED_MAX: u64 = 1 << 24;

/// A log never has more records than this, so that its peaks fit a segment's header.
pub const RECORDS_MAX: u64 = (1 << 48) - 1;

/// Peaks of a tree, largest first: one for each binary digit 1 of its size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree by its peaks; `None` where their number does not fit the size, or where that is more
    /// than a log can have.
    pub fn from_peaks(size: u64, peaks: &[Hash]) -> Option<Self> {
        let fits = size <= RECORDS_MAX && peaks.len() == size.count_ones() as usize;
        fits.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// A tree of which nothing but its size is known: the hash of each peak is that of the lost
    /// record which is its first leaf. A segment that begins with it says so in its header.
    pub fn unknown(size: u64) -> Self {
        let mut first = 0;
        let mut peaks = Vec::new();
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            peaks.push(lost_leaf(first));
            first += 1 << level;
        }
        Self { size, peaks }
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each trailing digit 1 of the size is a full subtree that this leaf completes to a larger.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Appends leaves, level by level, so that nodes are hashed together.
    fn push_all(&mut self, leaves: Vec<Hash>) {
        let mut digits = self.size;
        self.size += leaves.len() as u64;
        let mut level = leaves;
        let mut peaks = Vec::new();
        while !level.is_empty() {
            // A digit 1 is a subtree of this level that the leaves go on from.
            if digits & 1 == 1 {
                level.splice(..0, self.peaks.pop());
            }
            if level.len() % 2 == 1 {
                peaks.extend(level.pop());
            }
            level = parents(&level);
            digits >>= 1;
        }
        self.peaks.extend(peaks.into_iter().rev());
    }

    /// Appends lost records up to `end`, exclusive. True where there are so many that the tree
    /// starts anew.
    pub fn push_lost(&mut self, end: u64) -> bool {
        if end.saturating_sub(self.size) > LOST_HASHED_MAX {
            *self = Self::unknown(end);
            return true;
        }
        while self.size < end {
            self.push(lost_leaf(self.size));
        }
        false
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return EMPTY_ROOT };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// So many leaves are hashed together at most: their nodes then cost as little as they can.
const TOGETHER_MAX: usize = 256;
/// So many bytes of leaves wait at most; they should stay in the processor's cache.
const TOGETHER_BYTES_MAX: usize = 128 << 10;

/// A tree whose newest leaves wait to be hashed together, until the tree is asked for.
#[derive(Debug, Clone, Default)]
pub struct Growing {
    tree: Frontier,
    leaves: Leaves,
}

impl Growing {
    /// A tree that goes on from `tree`.
    pub fn new(tree: Frontier) -> Self {
        Self { tree, leaves: Leaves::default() }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.tree.size() + self.leaves.len() as u64
    }

    /// Appends the leaf of a record.
    pub fn push_record(&mut self, record: &[u8]) {
        self.leaves.push(record);
        if self.leaves.len() >= TOGETHER_MAX || self.leaves.bytes() >= TOGETHER_BYTES_MAX {
            self.settled();
        }
    }

    /// The tree with all its leaves.
    pub fn settled(&mut self) -> &mut Frontier {
        if self.leaves.len() > 0 {
            self.tree.push_all(self.leaves.take());
        }
        &mut self.tree
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;

    /// Section 2.1 of RFC 6962 as it is written there.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&naive(&leaves[..split]), &naive(&leaves[split..]))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&[&n.to_le_bytes()])).collect()
    }

    #[test]
    fn each_size_has_the_root_of_the_rfc() {
        let leaves = leaves(300);
        let mut tree = Frontier::new();
        for (count, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), naive(&leaves[..count]));
            assert_eq!(tree.peaks().len(), count.count_ones() as usize);
            tree.push(*leaf);
        }
    }

    #[test]
    fn peaks_that_do_not_fit_the_size_are_no_tree() {
        assert!(Frontier::from_peaks(3, &[[0; 32]]).is_none());
        assert!(Frontier::from_peaks(0, &[]).is_some());
        assert_eq!(Frontier::unknown(u64::MAX).peaks().len(), 64);
    }

    #[test]
    fn lost_records_have_leaves_of_their_own_until_there_are_too_many() {
        let mut tree = Frontier::new();
        assert!(!tree.push_lost(5));
        assert_eq!(tree.root(), naive(&(0..5).map(lost_leaf).collect::<Vec<_>>()));
        assert!(tree.push_lost(1 << 40));
        assert_eq!((tree.size(), tree.peaks().len()), (1 << 40, 1));
    }

    proptest! {
        #[test]
        fn leaves_hashed_together_give_the_same_tree(
            before in 0_u64..200, groups in prop::collection::vec(0_u64..700, 0..4)
        ) {
            let mut alone = Frontier::new();
            for number in 0..before {
                alone.push(leaf_hash(&[&number.to_le_bytes()]));
            }
            let mut growing = Growing::new(alone.clone());
            for group in groups {
                for _ in 0..group {
                    let record = alone.size().to_le_bytes();
                    growing.push_record(&record);
                    alone.push(leaf_hash(&[&record]));
                    prop_assert_eq!(growing.size(), alone.size());
                }
                prop_assert_eq!(growing.settled(), &alone);
            }
        }

        #[test]
        fn going_on_from_peaks_gives_the_same_tree(before in 0_u64..400, after in 0_u64..200) {
            let leaves = leaves(before + after);
            let mut whole = Frontier::new();
            let mut resumed = Frontier::new();
            for (index, leaf) in leaves.iter().enumerate() {
                if index as u64 == before {
                    resumed = Frontier::from_peaks(whole.size(), whole.peaks()).unwrap();
                }
                whole.push(*leaf);
                resumed.push(*leaf);
            }
            if after > 0 {
                prop_assert_eq!(&whole, &resumed);
            }
            prop_assert_eq!(whole.root(), naive(&leaves));
        }
    }
}
