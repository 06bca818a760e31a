//! Recognises files again: by content, whatever their path, name or compression.
//!
//! A file's key comes from its first 64 KiB and an ordinal. The book remembers the files that
//! were read, so that
//! * a log that was copied, renamed, compressed or has grown keeps its ids,
//! * a file that begins like another and goes on differently gets the next ordinal.
//!
//! A file that was shorter than [`GROWTH_MIN`] and has grown cannot be told from another file
//! with the same first lines; it gets ids of its own.

use std::io::{self, Read};

use bigsec_event::{FINGERPRINT_BYTES, fingerprint};

/// Fewest bytes that a file must have had for its grown form to be taken as the same file.
const GROWTH_MIN: usize = 1_024;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// BLAKE3 of its first `prefix_bytes` bytes when it was first seen.
    pub fingerprint: [u8; 32],
    /// How many bytes the fingerprint covers, at most 64 KiB.
    pub prefix_bytes: usize,
    /// Which of the files with this fingerprint.
    pub ordinal: u32,
    /// Decompressed bytes read.
    pub size: u64,
    /// BLAKE3 of all of them.
    pub content: [u8; 32],
    /// The input, where it was read in this run.
    pub label: Option<String>,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// A file to read under this identity.
    Read { fingerprint: [u8; 32], prefix_bytes: usize, ordinal: u32 },
    /// The very bytes of an input that was read in this run.
    Duplicate(String),
}

/// The files that were read.
#[derive(Debug, Clone, Default)]
pub struct FileBook {
    known: Vec<KnownFile>,
}

impl FileBook {
    /// A book of the files of earlier runs.
    pub fn new(known: Vec<KnownFile>) -> Self {
        Self { known }
    }

    /// All files, those of earlier runs included.
    pub fn files(&self) -> &[KnownFile] {
        &self.known
    }

    /// Remembers a file that was read to its end, or how far it has grown.
    pub(crate) fn add(&mut self, file: KnownFile) {
        let same = |known: &&mut KnownFile| {
            known.fingerprint == file.fingerprint && known.ordinal == file.ordinal
        };
        match self.known.iter_mut().find(same) {
            Some(known) if known.size <= file.size => *known = file,
            Some(known) => known.label = known.label.take().or(file.label),
            None => self.known.push(file),
        }
    }

    /// Says what the file with this prefix is.
    ///
    /// `reread` opens it again at its beginning, or gives `None` where it can be read only once:
    /// then the first known file that begins alike is taken to be the same.
    pub(crate) fn resolve(
        &self,
        prefix: &[u8],
        mut reread: impl FnMut() -> io::Result<Option<Box<dyn Read + Send>>>,
    ) -> io::Result<Resolved> {
        let own = fingerprint(prefix);
        let mut ordinal = 0;
        for known in self.known.iter().filter(|known| begins_like(known, prefix)) {
            if known.fingerprint == own {
                ordinal = ordinal.max(known.ordinal + 1);
            }
            let Some(mut reader) = reread()? else { return Ok(read_as(known)) };
            let (hash, read) = hash_first(&mut reader, known.size)?;
            if read == known.size && hash == known.content {
                let more = reader.read(&mut [0])? > 0;
                return Ok(match &known.label {
                    Some(label) if !more => Resolved::Duplicate(label.clone()),
                    _ => read_as(known),
                });
            }
        }
        let prefix_bytes = prefix.len().min(FINGERPRINT_BYTES);
        Ok(Resolved::Read { fingerprint: own, prefix_bytes, ordinal })
    }
}

fn read_as(known: &KnownFile) -> Resolved {
    Resolved::Read {
        fingerprint: known.fingerprint,
        prefix_bytes: known.prefix_bytes,
        ordinal: known.ordinal,
    }
}

fn begins_like(known: &KnownFile, prefix: &[u8]) -> bool {
    (known.prefix_bytes == prefix.len()
        || (known.prefix_bytes >= GROWTH_MIN && known.prefix_bytes < prefix.len()))
        && fingerprint(&prefix[..known.prefix_bytes]) == known.fingerprint
}

/// BLAKE3 of the first `size` bytes of a stream, and how many there were.
fn hash_first(reader: &mut impl Read, size: u64) -> io::Result<([u8; 32], u64)> {
    let mut hasher = blake3::Hasher::new();
    let read = io::copy(&mut reader.take(size), &mut hasher)?;
    Ok((*hasher.finalize().as_bytes(), read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(bytes: &[u8], prefix_bytes: usize, ordinal: u32, label: Option<&str>) -> KnownFile {
        KnownFile {
            fingerprint: fingerprint(&bytes[..prefix_bytes]),
            prefix_bytes,
            ordinal,
            size: bytes.len() as u64,
            content: *blake3::hash(bytes).as_bytes(),
            label: label.map(str::to_owned),
        }
    }

    fn resolve(book: &FileBook, bytes: &[u8]) -> Resolved {
        let prefix = &bytes[..bytes.len().min(FINGERPRINT_BYTES)];
        book.resolve(prefix, || Ok(Some(Box::new(io::Cursor::new(bytes.to_vec()))))).unwrap()
    }

    fn ordinal(resolved: &Resolved) -> u32 {
        match resolved {
            Resolved::Read { ordinal, .. } => *ordinal,
            Resolved::Duplicate(label) => panic!("duplicate of {label}"),
        }
    }

    #[test]
    fn files_that_begin_alike_and_differ_later_get_ordinals() {
        let mut first = vec![b'a'; FINGERPRINT_BYTES];
        let mut second = first.clone();
        let mut third = first.clone();
        first.push(b'1');
        second.push(b'2');
        third.push(b'3');
        let mut book = FileBook::default();
        assert_eq!(ordinal(&resolve(&book, &first)), 0);
        book.add(known(&first, FINGERPRINT_BYTES, 0, None));
        assert_eq!(ordinal(&resolve(&book, &second)), 1);
        book.add(known(&second, FINGERPRINT_BYTES, 1, None));
        assert_eq!(ordinal(&resolve(&book, &third)), 2);
        assert_eq!(ordinal(&resolve(&book, &second)), 1);
        second.extend_from_slice(b"more");
        assert_eq!(ordinal(&resolve(&book, &second)), 1);
    }

    #[test]
    fn a_copy_in_the_same_run_is_a_duplicate_and_one_of_an_earlier_run_is_read_again() {
        let bytes = vec![b'x'; 3_000];
        let book = FileBook::new(vec![known(&bytes, 3_000, 0, Some("a.log"))]);
        assert_eq!(resolve(&book, &bytes), Resolved::Duplicate("a.log".into()));
        let book = FileBook::new(vec![known(&bytes, 3_000, 0, None)]);
        assert_eq!(ordinal(&resolve(&book, &bytes)), 0);
    }

    #[test]
    fn a_grown_file_keeps_its_identity_and_a_tiny_one_does_not() {
        let small = vec![b's'; 2_000];
        let book = FileBook::new(vec![known(&small, 2_000, 0, None)]);
        let mut grown = small.clone();
        grown.resize(100_000, b't');
        assert_eq!(
            resolve(&book, &grown),
            Resolved::Read { fingerprint: fingerprint(&small), prefix_bytes: 2_000, ordinal: 0 }
        );
        let tiny = vec![b's'; 10];
        let book = FileBook::new(vec![known(&tiny, 10, 0, None)]);
        assert_ne!(
            resolve(&book, &grown),
            Resolved::Read { fingerprint: fingerprint(&tiny), prefix_bytes: 10, ordinal: 0 }
        );
    }
}
