//! The watermark: how far records have been flushed, in two slots written in turn.

use crate::hash::Hash;
use crate::tree::Frontier;

/// Length of one of the two slots.
pub const SLOT_BYTES: usize = 4096;

const MAGIC: &[u8; 8] = b"BSGMARK1";
const PEAKS_MAX: usize = 64;

/// What one slot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// Counts up with each write.
    pub generation: u64,
    /// Id of the log.
    pub id: [u8; 16],
    /// Number of the segment written to.
    pub segment: u64,
    /// How many of its bytes are flushed.
    pub segment_bytes: u64,
    /// When it was written, µs since 1970 UTC.
    pub time_us: i64,
    /// The tree over all flushed records.
    pub tree: Frontier,
}

impl Watermark {
    /// Where its slot stands in the file.
    pub fn offset(&self) -> u64 {
        self.generation % 2 * SLOT_BYTES as u64
    }

    /// The slot's bytes.
    pub fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        slot.extend_from_slice(MAGIC);
        slot.extend_from_slice(&self.generation.to_le_bytes());
        slot.extend_from_slice(&self.id);
        slot.extend_from_slice(&self.segment.to_le_bytes());
        slot.extend_from_slice(&self.segment_bytes.to_le_bytes());
        slot.extend_from_slice(&self.tree.size().to_le_bytes());
        slot.extend_from_slice(&self.time_us.to_le_bytes());
        slot.extend_from_slice(&(self.tree.peaks().len() as u32).to_le_bytes());
        slot.extend_from_slice(self.tree.peaks().as_flattened());
        let mut bytes = [0; SLOT_BYTES];
        bytes[..slot.len()].copy_from_slice(&slot);
        let checksum = crc32c::crc32c(&bytes[..SLOT_BYTES - 4]);
        bytes[SLOT_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads one slot.
    pub fn decode_slot(slot: &[u8]) -> Option<Self> {
        let (content, checksum) = slot.split_last_chunk::<4>()?;
        if slot.len() != SLOT_BYTES
            || !content.starts_with(MAGIC)
            || crc32c::crc32c(content) != u32::from_le_bytes(*checksum)
        {
            return None;
        }
        let count = u32::from_le_bytes(*content.get(64..)?.first_chunk()?) as usize;
        if count > PEAKS_MAX {
            return None;
        }
        let (peaks, _): (&[Hash], _) = content.get(68..68 + 32 * count)?.as_chunks();
        let size = u64::from_le_bytes(*content.get(48..)?.first_chunk()?);
        Some(Self {
            generation: u64::from_le_bytes(*content.get(8..)?.first_chunk()?),
            id: *content.get(16..)?.first_chunk()?,
            segment: u64::from_le_bytes(*content.get(32..)?.first_chunk()?),
            segment_bytes: u64::from_le_bytes(*content.get(40..)?.first_chunk()?),
            time_us: i64::from_le_bytes(*content.get(56..)?.first_chunk()?),
            tree: Frontier::from_peaks(size, peaks)?,
        })
    }

    /// Reads the file: the newer of the valid slots that belong to the log, if `id` is known.
    pub fn decode(file: &[u8], id: Option<&[u8; 16]>) -> Option<Self> {
        file.chunks(SLOT_BYTES)
            .take(2)
            .filter_map(Self::decode_slot)
            .filter(|mark| id.is_none_or(|id| mark.id == *id))
            .max_by_key(|mark| mark.generation)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mark(generation: u64) -> Watermark {
        Watermark {
            generation,
            id: [1; 16],
            segment: 3,
            segment_bytes: 9999,
            time_us: 5,
            tree: Frontier::unknown(generation),
        }
    }

    fn file(even: u64, odd: u64) -> Vec<u8> {
        [mark(even).encode(), mark(odd).encode()].concat()
    }

    #[test]
    fn the_newer_slot_counts_and_a_torn_one_does_not() {
        assert_eq!((mark(4).offset(), mark(5).offset()), (0, 4096));
        let mut bytes = file(4, 5);
        assert_eq!(Watermark::decode(&bytes, None), Some(mark(5)));
        bytes[5000] ^= 1;
        assert_eq!(Watermark::decode(&bytes, Some(&[1; 16])), Some(mark(4)));
        assert_eq!(Watermark::decode(&bytes, Some(&[2; 16])), None);
        assert_eq!(Watermark::decode(&bytes[..4096], None), Some(mark(4)));
        assert_eq!(Watermark::decode(&[], None), None);
    }

    proptest! {
        #[test]
        fn a_flipped_byte_costs_one_slot(at in 0..SLOT_BYTES, flip in 1_u8..) {
            let mut bytes = file(2, 7);
            bytes[at] ^= flip;
            prop_assert_eq!(Watermark::decode(&bytes, None), Some(mark(7)));
        }
    }
}
