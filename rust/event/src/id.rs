//! Event ids: 128 bits, derived from where the record stands, never random.
//!
//! | bits | what |
//! |---|---|
//! | 1 | origin: 0 evidence log, 1 file |
//! | 47 | log key, or fingerprint of the file's first 64 KiB of decompressed content and an ordinal |
//! | 64 | sequence in the log, or byte offset in the decompressed file |
//! | 16 | sub-index: the element's position in the raw record |
//!
//! Bound on collisions: two of *n* different files share the 47 bits with probability below
//! n² / 2⁴⁸ (10,000 files: 3.6 · 10⁻⁷).

use std::fmt;
use std::str::FromStr;

/// How many bytes of decompressed content make a file's fingerprint.
pub const FINGERPRINT_BYTES: usize = 64 * 1024;

const KEY_MASK: u64 = (1 << 47) - 1;

/// Where a record was first kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An evidence log.
    Log,
    /// A file read in place.
    File,
}

/// The id of one event, for ever. Printed as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(u128);

impl EventId {
    /// Composes an id; of `key` the low 47 bits count.
    pub fn new(origin: Origin, key: u64, position: u64, sub_index: u16) -> Self {
        let origin = u128::from(origin == Origin::File);
        Self(
            origin << 127
                | u128::from(key & KEY_MASK) << 80
                | u128::from(position) << 16
                | u128::from(sub_index),
        )
    }

    /// Where the record was first kept.
    pub fn origin(self) -> Origin {
        if self.0 >> 127 == 1 { Origin::File } else { Origin::Log }
    }

    /// The log key or file fingerprint.
    pub fn key(self) -> u64 {
        (self.0 >> 80) as u64 & KEY_MASK
    }

    /// The sequence in the log, or the byte offset in the decompressed file.
    pub fn position(self) -> u64 {
        (self.0 >> 16) as u64
    }

    /// The element's position in the raw record.
    pub fn sub_index(self) -> u16 {
        self.0 as u16
    }

    /// The stored form: 16 bytes, most significant first, so that ids of one log sort by sequence.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id stored as 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 32 hexadecimal digits, not {0:?}")]
pub struct ParseIdError(String);

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| ParseIdError(text.chars().take(64).collect()))
    }
}

/// The fingerprint of a file: BLAKE3 of its first 64 KiB of decompressed content.
///
/// Path, inode and compression do not enter, so a copied, renamed or compressed log keeps its ids.
pub fn fingerprint(prefix: &[u8]) -> [u8; 32] {
    *blake3::hash(&prefix[..prefix.len().min(FINGERPRINT_BYTES)]).as_bytes()
}

/// The 47-bit key of a file: its fingerprint and an ordinal.
///
/// The ordinal tells apart files that begin alike and go on differently; it is 0 for the first.
pub fn file_key(fingerprint: &[u8; 32], ordinal: u32) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fingerprint);
    hasher.update(&ordinal.to_le_bytes());
    let mut key = [0; 8];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(key) >> 17
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_parts_of_an_id_come_back(file: bool, key in 0..=KEY_MASK, position: u64, sub: u16) {
            let origin = if file { Origin::File } else { Origin::Log };
            let id = EventId::new(origin, key, position, sub);
            prop_assert_eq!(
                (id.origin(), id.key(), id.position(), id.sub_index()),
                (origin, key, position, sub)
            );
            prop_assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
            prop_assert_eq!(EventId::from_bytes(id.to_bytes()), id);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "12", "+0000000000000000000000000000001", "zz"] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_ordinal_tells_files_apart_and_only_the_prefix_counts() {
        let long = vec![7; FINGERPRINT_BYTES + 10];
        let print = fingerprint(&long);
        assert_eq!(print, fingerprint(&long[..FINGERPRINT_BYTES]));
        assert_ne!(file_key(&print, 0), file_key(&print, 1));
        assert!(file_key(&print, 0) <= KEY_MASK);
    }
}
