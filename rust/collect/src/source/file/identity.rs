//! Recognises files by what they begin with, so that reading goes on at the right place after a
//! restart, a rename, a copy, or compression.
//!
//! The key of a file is the fingerprint of its first whole lines as they stood when it was first
//! seen, of at most 64 KiB, and an ordinal. A file that has grown since still begins with those
//! lines: so every line end in its first 64 KiB is tried. Files that began alike get further
//! ordinals, which come from device and inode.

use std::collections::HashMap;

use bigsec_event::{FINGERPRINT_BYTES, file_key, fingerprint};

/// Bytes before a known end that are compared, where they are still known.
pub(crate) const LAST_BYTES: usize = 256;
/// A file that was told by less than this is told by the line end at its place, too.
const STRONG: usize = 1_024;
/// Files of one inode that may begin alike.
const GENERATIONS: u32 = 4_096;

/// How far a file has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Offset after the last record that was handed on.
    pub end: u64,
    /// The bytes before it; empty where they come from an earlier run.
    pub last: Vec<u8>,
}

/// What is known of all files of a source.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    known: HashMap<u64, Known>,
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// This file, of which so much is known.
    Known { key: u64, end: u64 },
    /// A file that was not seen before.
    New { key: u64 },
    /// It may be a copy in the making: look again.
    Later,
    /// It holds no whole line yet.
    Empty,
}

/// A file that is looked at.
pub(crate) struct Looked<'a> {
    /// Its first bytes, of at most 64 KiB.
    pub prefix: &'a [u8],
    /// All it will ever have, if it is no longer than the prefix.
    pub is_whole: bool,
    /// Device and inode.
    pub identity: (u64, u64),
    /// Its size, where it is known without decompressing it.
    pub size: Option<u64>,
    /// It has stopped growing.
    pub is_settled: bool,
}

impl Identities {
    /// What the log says of the files of earlier runs.
    pub fn new(resume: &HashMap<u64, u64>) -> Self {
        let known = resume.iter().map(|(key, end)| (*key, Known { end: *end, last: Vec::new() }));
        Self { known: known.collect() }
    }

    /// Remembers how far a file was read.
    pub fn learn(&mut self, key: u64, known: Known) {
        match self.known.get_mut(&key) {
            // A copy of a file that has grown since lags behind it.
            Some(before) if before.end > known.end => {}
            Some(before) => *before = known,
            None => {
                self.known.insert(key, known);
            }
        }
    }

    /// Says what a file is. `last` reads the bytes that stand before an offset; `None` where they
    /// cannot be had without reading all before them.
    pub fn resolve(
        &self,
        looked: &Looked<'_>,
        mut last: impl FnMut(u64, usize) -> Option<Vec<u8>>,
    ) -> Resolved {
        let cuts = cuts(looked.prefix, looked.is_whole);
        let mut may_be_copy = false;
        for cut in cuts.iter().rev() {
            for key in self.keys(&cut.print, looked.identity) {
                let Some(known) = self.known.get(&key) else { continue };
                if looked.size.is_some_and(|size| size < known.end) {
                    may_be_copy = true;
                } else if (looked.is_whole && looked.size == Some(known.end))
                    || is_same(known, cut.size, &mut last)
                {
                    return Resolved::Known { key, end: known.end };
                }
            }
        }
        if may_be_copy && !looked.is_settled {
            return Resolved::Later;
        }
        self.fresh(looked)
    }

    /// A key for a file that is certainly a new one.
    pub fn fresh(&self, looked: &Looked<'_>) -> Resolved {
        let Some(cut) = cuts(looked.prefix, looked.is_whole).pop() else { return Resolved::Empty };
        let unused = ordinals(looked.identity)
            .map(|ordinal| file_key(&cut.print, ordinal))
            .find(|key| !self.known.contains_key(key));
        let key = unused.unwrap_or_else(|| file_key(&cut.print, 0));
        Resolved::New { key }
    }

    /// The keys that a file with this beginning may have: its own first, the latest before.
    fn keys(&self, print: &[u8; 32], identity: (u64, u64)) -> Vec<u64> {
        let mut keys = vec![file_key(print, 0)];
        let own = ordinals(identity).skip(1).map(|ordinal| file_key(print, ordinal));
        keys.extend(own.take_while(|key| self.known.contains_key(key)));
        keys.reverse();
        keys
    }
}

/// The ordinals of files that begin alike: 0 for the first, then those of an inode.
fn ordinals((device, inode): (u64, u64)) -> impl Iterator<Item = u32> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&device.to_le_bytes());
    hasher.update(&inode.to_le_bytes());
    let mut first = [0; 4];
    hasher.finalize_xof().fill(&mut first);
    let first = u32::from_le_bytes(first);
    std::iter::once(0).chain((0..GENERATIONS).map(move |more| first.wrapping_add(more).max(1)))
}

fn is_same(
    known: &Known,
    told_by: usize,
    last: &mut impl FnMut(u64, usize) -> Option<Vec<u8>>,
) -> bool {
    if known.end == 0 {
        return true;
    }
    if !known.last.is_empty() {
        return last(known.end, known.last.len()).is_none_or(|bytes| bytes == known.last);
    }
    told_by >= STRONG || last(known.end, 1).is_none_or(|bytes| bytes == b"\n")
}

struct Cut {
    size: usize,
    print: [u8; 32],
}

/// The beginnings by which a file may have been told when it was first seen, shortest first.
fn cuts(prefix: &[u8], is_whole: bool) -> Vec<Cut> {
    let prefix = &prefix[..prefix.len().min(FINGERPRINT_BYTES)];
    let (mut cuts, mut hasher, mut from) = (Vec::new(), blake3::Hasher::new(), 0);
    for at in memchr::memchr_iter(b'\n', prefix) {
        hasher.update(&prefix[from..=at]);
        from = at + 1;
        cuts.push(Cut { size: from, print: *hasher.finalize().as_bytes() });
    }
    let is_full = prefix.len() == FINGERPRINT_BYTES;
    if from < prefix.len() && (is_full || is_whole) {
        cuts.push(Cut { size: prefix.len(), print: fingerprint(prefix) });
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(content: &[u8], inode: u64) -> Looked<'_> {
        Looked {
            prefix: &content[..content.len().min(FINGERPRINT_BYTES)],
            is_whole: false,
            identity: (1, inode),
            size: Some(content.len() as u64),
            is_settled: true,
        }
    }

    fn last(content: &[u8]) -> impl FnMut(u64, usize) -> Option<Vec<u8>> {
        |end, count| Some(content[end as usize - count..end as usize].to_vec())
    }

    fn resolve(identities: &Identities, content: &[u8], inode: u64) -> Resolved {
        identities.resolve(&look(content, inode), last(content))
    }

    fn new_key(resolved: &Resolved) -> u64 {
        match resolved {
            Resolved::New { key } => *key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn p1_a_file_that_has_grown_is_the_same_whatever_its_inode() {
        let mut identities = Identities::default();
        assert_eq!(resolve(&identities, b"no line yet", 1), Resolved::Empty);
        let key = new_key(&resolve(&identities, b"one\ntwo\nthr", 1));
        identities.learn(key, Known { end: 8, last: Vec::new() });
        for inode in [1, 2] {
            let known = resolve(&identities, b"one\ntwo\nthree\n", inode);
            assert_eq!(known, Resolved::Known { key, end: 8 });
        }
        assert!(matches!(resolve(&identities, b"one\ntwX\n", 1), Resolved::New { .. }));
    }

    #[test]
    fn files_that_begin_alike_are_kept_apart() {
        let mut identities = Identities::default();
        let first = new_key(&resolve(&identities, b"head\n", 1));
        identities.learn(first, Known { end: 7, last: b"head\na\n".to_vec() });
        let second = new_key(&resolve(&identities, b"head\nb\n", 2));
        let third = new_key(&identities.fresh(&look(b"head\n", 1)));
        assert!(first != second && second != third && first != third);
        // After a restart, the one that came later on this inode is found first.
        identities.learn(third, Known { end: 5, last: Vec::new() });
        let known = resolve(&identities, b"head\nc\n", 1);
        assert_eq!(known, Resolved::Known { key: third, end: 5 });
    }

    #[test]
    fn a_copy_in_the_making_is_looked_at_again() {
        let mut identities = Identities::default();
        let key = new_key(&resolve(&identities, b"one\n", 1));
        identities.learn(key, Known { end: 8, last: b"one\ntwo\n".to_vec() });
        let mut looked = look(b"one\n", 2);
        looked.is_settled = false;
        assert_eq!(identities.resolve(&looked, last(b"one\n")), Resolved::Later);
        assert!(matches!(resolve(&identities, b"one\n", 2), Resolved::New { .. }));
        let known = resolve(&identities, b"one\ntwo\nthree\n", 2);
        assert_eq!(known, Resolved::Known { key, end: 8 });
    }
}
