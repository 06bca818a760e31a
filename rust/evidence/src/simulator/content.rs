//! What a file holds: in the cache, on the disk, and on the disk after a crash.

use super::random::Random;

/// The unit in which a disk writes.
const SECTOR: usize = 512;

/// A change of a file's bytes that was not flushed yet.
#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(content, *offset, bytes),
            Self::SetLen(len) => content.resize(*len, 0),
        }
    }
}

/// A file's bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl Content {
    /// The bytes as a reader sees them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.cached
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        self.change(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.change(Change::SetLen(len));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    /// Makes all durable.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A flush that fails: the changes are on the disk in part, and no later flush writes them.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        self.durable = self.survivor(random);
        self.pending.clear();
    }

    /// The bytes as the disk may show them after a crash.
    pub(super) fn crash(&self, random: &mut Random) -> Self {
        let bytes = self.survivor(random);
        Self { cached: bytes.clone(), durable: bytes, pending: Vec::new() }
    }

    fn survivor(&self, random: &mut Random) -> Vec<u8> {
        let mut content = self.durable.clone();
        if self.pending.is_empty() {
            return content;
        }
        match random.below(6) {
            0 => {}
            1 => self.pending.iter().for_each(|change| change.apply(&mut content)),
            2 => {
                let whole = random.below(self.pending.len());
                self.pending[..whole].iter().for_each(|change| change.apply(&mut content));
                tear(&self.pending[whole], &mut content, random);
            }
            _ => {
                for change in &self.pending {
                    scatter(change, &mut content, random);
                }
                if random.one_in(2) {
                    lengthen(&mut content, self.cached.len(), random);
                }
            }
        }
        content
    }
}

/// Applies the beginning of a change.
fn tear(change: &Change, content: &mut Vec<u8>, random: &mut Random) {
    match change {
        Change::Write { offset, bytes } => {
            put(content, *offset, &bytes[..random.below(bytes.len() + 1)]);
        }
        Change::SetLen(_) if random.one_in(2) => {}
        Change::SetLen(_) => change.apply(content),
    }
}

/// Applies any of the sectors of a change, some in part.
fn scatter(change: &Change, content: &mut Vec<u8>, random: &mut Random) {
    let Change::Write { offset, bytes } = change else {
        return tear(change, content, random);
    };
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done;
        let end = bytes.len().min(done + SECTOR - at % SECTOR);
        let sector = &bytes[done..end];
        match random.below(8) {
            0..=3 => put(content, at, sector),
            4 => put(content, at, &sector[..random.below(sector.len() + 1)]),
            _ => {}
        }
        done = end;
    }
}

/// Lengthens a file without its bytes: by zeros, or by what stood on the disk before.
fn lengthen(content: &mut Vec<u8>, len: usize, random: &mut Random) {
    let old = content.len();
    if old < len {
        content.resize(len, 0);
        if random.one_in(2) {
            random.fill(&mut content[old..]);
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if !bytes.is_empty() && content.len() < end {
        content.resize(end, 0);
    }
    if !bytes.is_empty() {
        content[offset..end].copy_from_slice(bytes);
    }
}
