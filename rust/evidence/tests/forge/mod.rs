//! Reads and writes segments frame by frame, as somebody would who wants to change the past: with
//! right checksums, and, where asked for, with right roots. Written from the page of the format
//! alone, so that it also checks the crate's own reading of that page.

#![allow(dead_code, reason = "each test takes what it needs")]

pub mod log;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub const HEADER: usize = 4096;
pub const RECORD: u8 = 1;
pub const COMMIT: u8 = 5;
pub const END: u8 = 7;

/// A frame with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub sequence: u64,
    pub kind: u8,
    pub body: Vec<u8>,
}

/// A segment as written, in parts.
#[derive(Clone, Debug)]
pub struct Segment {
    pub path: PathBuf,
    pub header: Vec<u8>,
    pub frames: Vec<Frame>,
}

/// The segments of a folder as written, in order.
pub fn raw_segments(dir: &Path) -> Vec<PathBuf> {
    files_ending(dir, "seg")
}

pub fn sealed_segments(dir: &Path) -> Vec<PathBuf> {
    files_ending(dir, "segz")
}

fn files_ending(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the folder of the log")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    paths.sort();
    paths
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder for the copy");
    for entry in std::fs::read_dir(from).expect("the folder to copy") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of that length")
}

impl Segment {
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a segment");
        let (header, mut rest) = bytes.split_at(HEADER);
        let mut frames = Vec::new();
        let mut segment =
            Self { path: path.to_owned(), header: header.to_vec(), frames: Vec::new() };
        while rest.len() >= 17 {
            let len = u32::from_le_bytes(number(rest, 4)) as usize;
            let whole = &rest[..17 + len];
            assert_eq!(u32::from_le_bytes(number(rest, 0)), segment.checksum(&whole[4..]));
            frames.push(Frame {
                sequence: u64::from_le_bytes(number(rest, 8)),
                kind: rest[16],
                body: whole[17..].to_vec(),
            });
            rest = &rest[17 + len..];
        }
        assert!(rest.is_empty(), "{} bytes after the last frame", rest.len());
        segment.frames = frames;
        segment
    }

    pub fn id(&self) -> [u8; 16] {
        number(&self.header, 16)
    }

    pub fn first(&self) -> u64 {
        u64::from_le_bytes(number(&self.header, 40))
    }

    pub fn number(&self) -> u64 {
        u64::from_le_bytes(number(&self.header, 32))
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.id()), bytes)
    }

    pub fn peaks(&self) -> Vec<[u8; 32]> {
        let name = usize::from(u16::from_le_bytes(number(&self.header, 14)));
        let count = u32::from_le_bytes(number(&self.header, 64)) as usize;
        (0..count).map(|k| number(&self.header, 72 + name + 32 * k)).collect()
    }

    /// Puts other peaks into the header, with right checksums.
    pub fn set_peaks(&mut self, peaks: &[[u8; 32]]) {
        let name = usize::from(u16::from_le_bytes(number(&self.header, 14)));
        for copy in 0..2 {
            let at = copy * 2048;
            self.header[at + 64..at + 68].copy_from_slice(&(peaks.len() as u32).to_le_bytes());
            for (k, peak) in peaks.iter().enumerate() {
                let at = at + 72 + name + 32 * k;
                self.header[at..at + 32].copy_from_slice(peak);
            }
        }
        self.mend_header();
    }

    /// Puts right checksums under both copies of the header.
    pub fn mend_header(&mut self) {
        for copy in self.header.chunks_mut(2048) {
            let crc = crc32c::crc32c(&copy[..2044]);
            copy[2044..].copy_from_slice(&crc.to_le_bytes());
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header.clone();
        for frame in &self.frames {
            let mut bytes = (frame.body.len() as u32).to_le_bytes().to_vec();
            bytes.extend_from_slice(&frame.sequence.to_le_bytes());
            bytes.push(frame.kind);
            bytes.extend_from_slice(&frame.body);
            out.extend_from_slice(&self.checksum(&bytes).to_le_bytes());
            out.extend_from_slice(&bytes);
        }
        out
    }

    pub fn write(&self) {
        std::fs::write(&self.path, self.encode()).expect("the segment written");
    }

    /// Where each frame begins in the file, and where the last one ends.
    pub fn offsets(&self) -> Vec<usize> {
        let mut at = HEADER;
        let mut offsets = vec![at];
        for frame in &self.frames {
            at += 17 + frame.body.len();
            offsets.push(at);
        }
        offsets
    }

    /// Index of the frame of a record.
    pub fn index_of(&self, sequence: u64) -> usize {
        let is = |frame: &Frame| frame.kind <= RECORD + 1 && frame.sequence == sequence;
        self.frames.iter().position(is).expect("a record of that sequence")
    }

    /// Gives all records new sequences from the segment's first, and all commits new roots, as
    /// somebody does who wants the segment to be right in itself. Gives the peaks at its end.
    pub fn rebuild(&mut self) -> Vec<[u8; 32]> {
        let mut tree = Tree { size: self.first(), peaks: self.peaks() };
        for frame in &mut self.frames {
            frame.sequence = tree.size;
            match frame.kind {
                RECORD => tree.push(leaf(&frame.body)),
                COMMIT | END => {
                    frame.body[..32].copy_from_slice(&tree.root());
                    if frame.body.len() > 40 {
                        frame.body.truncate(40);
                        for peak in &tree.peaks {
                            frame.body.extend_from_slice(peak);
                        }
                    }
                }
                _ => {}
            }
        }
        tree.peaks
    }
}

pub fn leaf(record: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(record).finalize().into()
}

pub fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The tree of RFC 6962, kept as its peaks.
pub struct Tree {
    pub size: u64,
    pub peaks: Vec<[u8; 32]>,
}

impl Tree {
    pub fn push(&mut self, mut hash: [u8; 32]) {
        for _ in 0..self.size.trailing_ones() {
            hash = node(&self.peaks.pop().expect("a peak for each digit"), &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    pub fn root(&self) -> [u8; 32] {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Sha256::digest([]).into() };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}
