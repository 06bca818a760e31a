//! The header of a segment: two equal copies, either of which suffices.

use crate::tree::Frontier;

/// Length of the header, both copies.
pub const HEADER_BYTES: usize = 4096;
/// The format that this program writes.
pub const FORMAT_VERSION: u16 = 1;
/// The longest name of a log.
pub const NAME_BYTES_MAX: usize = 255;

const COPY_BYTES: usize = HEADER_BYTES / 2;
const MAGIC: &[u8; 8] = b"BSGLOG1\n";
const PEAKS_MAX: usize = 48;
const FLAG_ANEW: u32 = 1;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name of the log.
    pub name: String,
    /// Id of the log.
    pub id: [u8; 16],
    /// Number of the segment.
    pub number: u64,
    /// When it was made, µs since 1970 UTC.
    pub time_us: i64,
    /// Id of the signing key, its bytes as a little-endian number; 0 for none.
    pub key: u64,
    /// True for a sealed segment.
    pub sealed: bool,
    /// The tree starts anew here: the records before were lost with their hashes.
    pub anew: bool,
    /// The tree over all records before the first; its size is the first sequence.
    pub tree: Frontier,
}

/// Why bytes are no header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderFault {
    /// Neither copy is whole.
    Damaged,
    /// Written by a later version.
    Newer(u16),
}

impl Header {
    /// First sequence.
    pub fn first(&self) -> u64 {
        self.tree.size()
    }

    /// The header's bytes.
    pub fn encode(&self) -> Box<[u8; HEADER_BYTES]> {
        let name = &self.name.as_bytes()[..self.name.floor_char_boundary(NAME_BYTES_MAX)];
        // A tree of fewer than 2^48 records has no more peaks than fit.
        let peaks = &self.tree.peaks()[..self.tree.peaks().len().min(PEAKS_MAX)];
        let mut copy = Vec::with_capacity(COPY_BYTES);
        copy.extend_from_slice(MAGIC);
        copy.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        let signed = u8::from(self.key != 0);
        copy.extend_from_slice(&[1, signed, 0, u8::from(self.sealed)]);
        copy.extend_from_slice(&(name.len() as u16).to_le_bytes());
        copy.extend_from_slice(&self.id);
        copy.extend_from_slice(&self.number.to_le_bytes());
        copy.extend_from_slice(&self.first().to_le_bytes());
        copy.extend_from_slice(&self.time_us.to_le_bytes());
        copy.extend_from_slice(&self.key.to_le_bytes());
        copy.extend_from_slice(&(peaks.len() as u32).to_le_bytes());
        copy.extend_from_slice(&(if self.anew { FLAG_ANEW } else { 0 }).to_le_bytes());
        copy.extend_from_slice(name);
        copy.extend_from_slice(peaks.as_flattened());
        copy.resize(COPY_BYTES - 4, 0);
        let checksum = crc32c::crc32c(&copy);
        copy.extend_from_slice(&checksum.to_le_bytes());
        let mut bytes = Box::new([0; HEADER_BYTES]);
        bytes[..COPY_BYTES].copy_from_slice(&copy);
        bytes[COPY_BYTES..].copy_from_slice(&copy);
        bytes
    }

    /// Reads a header; also tells whether both copies are whole and equal.
    pub fn decode(bytes: &[u8]) -> Result<(Self, bool), HeaderFault> {
        let mut copies = bytes.chunks(COPY_BYTES).take(2);
        let first = copies.next().map_or(Err(HeaderFault::Damaged), Self::decode_copy);
        let second = copies.next().map_or(Err(HeaderFault::Damaged), Self::decode_copy);
        match (first, second) {
            (Ok(first), Ok(second)) => {
                let whole = first == second;
                Ok((first, whole))
            }
            (Ok(header), Err(HeaderFault::Damaged)) | (Err(HeaderFault::Damaged), Ok(header)) => {
                Ok((header, false))
            }
            (Err(HeaderFault::Newer(version)), _) | (_, Err(HeaderFault::Newer(version))) => {
                Err(HeaderFault::Newer(version))
            }
            (Err(HeaderFault::Damaged), Err(HeaderFault::Damaged)) => Err(HeaderFault::Damaged),
        }
    }

    fn decode_copy(copy: &[u8]) -> Result<Self, HeaderFault> {
        let content = checked_content(copy).ok_or(HeaderFault::Damaged)?;
        let version = u16::from_le_bytes([content[8], content[9]]);
        if version > FORMAT_VERSION {
            return Err(HeaderFault::Newer(version));
        }
        Self::decode_fields(content).ok_or(HeaderFault::Damaged)
    }

    fn decode_fields(content: &[u8]) -> Option<Self> {
        let [hash, signature, cipher, compression] = *content.get(10..)?.first_chunk()?;
        if hash != 1 || signature > 1 || cipher != 0 || compression > 1 {
            return None;
        }
        let name_len = usize::from(u16::from_le_bytes(*content.get(14..)?.first_chunk()?));
        let peak_count = u32::from_le_bytes(*content.get(64..)?.first_chunk()?) as usize;
        let flags = u32::from_le_bytes(*content.get(68..)?.first_chunk()?);
        if name_len > NAME_BYTES_MAX || peak_count > PEAKS_MAX {
            return None;
        }
        let first = u64::from_le_bytes(*content.get(40..)?.first_chunk()?);
        let (name, rest) = content.get(72..)?.split_at_checked(name_len)?;
        let (peaks, _) = rest.get(..peak_count * 32)?.as_chunks::<32>();
        Some(Self {
            name: std::str::from_utf8(name).ok()?.to_owned(),
            id: *content.get(16..)?.first_chunk()?,
            number: u64::from_le_bytes(*content.get(32..)?.first_chunk()?),
            time_us: i64::from_le_bytes(*content.get(48..)?.first_chunk()?),
            key: u64::from_le_bytes(*content.get(56..)?.first_chunk()?),
            sealed: compression == 1,
            anew: flags & FLAG_ANEW != 0,
            tree: Frontier::from_peaks(first, peaks)?,
        })
    }
}

/// A copy's bytes before its checksum, where magic and checksum fit.
fn checked_content(copy: &[u8]) -> Option<&[u8]> {
    let (content, checksum) = copy.split_last_chunk::<4>()?;
    let fits = copy.len() == COPY_BYTES
        && content.starts_with(MAGIC)
        && crc32c::crc32c(content) == u32::from_le_bytes(*checksum);
    fits.then_some(content)
}

/// Whether a text may name a log: not empty, ≤ 255 bytes, no `+`, no white space save inner blanks.
pub fn is_log_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.trim() == name
        && !name.chars().any(|c| c == '+' || c.is_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            name: "relay-1.example.gov".to_owned(),
            id: [3; 16],
            number: 12,
            time_us: -1,
            key: 9,
            sealed: false,
            anew: false,
            tree: Frontier::unknown(345_678),
        }
    }

    #[test]
    fn either_copy_suffices() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes[..]), Ok((header(), true)));
        for sector in [0..2048, 2048..4096] {
            let mut damaged = bytes.clone();
            damaged[sector].fill(0);
            assert_eq!(Header::decode(&damaged[..]), Ok((header(), false)));
        }
        assert_eq!(Header::decode(&[0; HEADER_BYTES]), Err(HeaderFault::Damaged));
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut bytes = header().encode();
        for copy in bytes.chunks_mut(COPY_BYTES) {
            copy[8] = 2;
            let checksum = crc32c::crc32c(&copy[..COPY_BYTES - 4]);
            copy[COPY_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        }
        assert_eq!(Header::decode(&bytes[..]), Err(HeaderFault::Newer(2)));
    }

    #[test]
    fn names_that_a_note_cannot_carry_are_refused() {
        assert!(is_log_name("relay-1.example.gov"));
        assert!(is_log_name("政务 1"));
        for name in ["", " a", "a+b", "a\nb", "a\0"] {
            assert!(!is_log_name(name), "{name:?}");
        }
        assert!(is_log_name(&"n".repeat(255)));
        assert!(!is_log_name(&"n".repeat(256)));
    }

    proptest! {
        #[test]
        fn one_flipped_byte_changes_nothing(at in 0..HEADER_BYTES, flip in 1_u8..) {
            let mut bytes = header().encode();
            bytes[at] ^= flip;
            prop_assert_eq!(Header::decode(&bytes[..]), Ok((header(), false)));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(Header::decode(&bytes), Err(HeaderFault::Damaged));
        }
    }
}
