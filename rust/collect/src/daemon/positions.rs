//! How far each file and each held connection was read: what its source goes on from after a
//! restart.
//!
//! The truth stands in the log, beside each record; the file here saves reading all of it again.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bigsec_evidence::Position;
use bigsec_evidence::storage::{Storage, write_all_at};
use serde::{Deserialize, Serialize};

const FILE: &str = "positions.json";
const TEMPORARY: &str = "positions.json.new";

/// The offsets reached, by source and key of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions {
    reached: HashMap<Box<str>, HashMap<u64, u64>>,
    /// All records before this one are in.
    size: u64,
    /// There is something that was not saved.
    changed: bool,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// Key of the log that it is about, in hexadecimal.
    log: String,
    size: u64,
    /// By source, then by the file's key in hexadecimal.
    sources: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Positions {
    /// What is saved of a log with that key; nothing where it is about more records than there are.
    pub fn load(storage: &dyn Storage, folder: &Path, log_key: u64, durable: u64) -> Self {
        load(storage, &folder.join(FILE), log_key)
            .filter(|saved| saved.size <= durable)
            .unwrap_or_default()
    }

    /// All records before this one are in.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Notes where a record ends.
    pub fn reach(&mut self, source: &str, position: Position) {
        if !self.reached.contains_key(source) {
            self.reached.insert(source.into(), HashMap::new());
        }
        if let Some(files) = self.reached.get_mut(source) {
            // A file that is read anew after it was truncated begins at a smaller offset under
            // another key, so the furthest is the right one.
            let end = files.entry(position.file).or_default();
            *end = position.end.max(*end);
            self.changed = true;
        }
    }

    /// Forgets a connection of a source that has ended.
    pub fn forget(&mut self, source: &str, connection: u64) {
        let known = self.reached.get_mut(source);
        self.changed |= known.and_then(|known| known.remove(&connection)).is_some();
    }

    /// Forgets the connections of a source that ended with an earlier run.
    pub fn keep_only(&mut self, source: &str, connections: &[u64]) {
        if let Some(known) = self.reached.get_mut(source) {
            known.retain(|key, _| connections.contains(key));
        }
    }

    /// All records before `size` are in.
    pub fn cover(&mut self, size: u64) {
        self.size = size;
    }

    /// The offsets of a source's files.
    pub fn of(&self, source: &str) -> HashMap<u64, u64> {
        self.reached.get(source).cloned().unwrap_or_default()
    }

    /// Saves them, where there is something new.
    pub fn save(&mut self, storage: &dyn Storage, folder: &Path, log_key: u64) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let hex = |(file, end): (&u64, &u64)| (format!("{file:016x}"), *end);
        let saved = Saved {
            log: format!("{log_key:012x}"),
            size: self.size,
            sources: self
                .reached
                .iter()
                .map(|(source, files)| (source.to_string(), files.iter().map(hex).collect()))
                .collect(),
        };
        let text = serde_json::to_vec(&saved)?;
        replace(storage, folder, &text)?;
        self.changed = false;
        Ok(())
    }
}

fn load(storage: &dyn Storage, path: &Path, log_key: u64) -> Option<Positions> {
    let mut text = Vec::new();
    storage.open(path).ok()?.read_to_end(&mut text).ok()?;
    let saved: Saved = serde_json::from_slice(&text).ok()?;
    if saved.log != format!("{log_key:012x}") {
        return None;
    }
    let mut positions = Positions { size: saved.size, ..Positions::default() };
    for (source, files) in &saved.sources {
        for (file, end) in files {
            let file = u64::from_str_radix(file, 16).ok()?;
            positions.reach(source, Position { file, end: *end });
        }
    }
    positions.changed = false;
    Some(positions)
}

/// Puts a new file in place of the old one.
fn replace(storage: &dyn Storage, folder: &Path, text: &[u8]) -> io::Result<()> {
    let (temporary, path): (PathBuf, PathBuf) = (folder.join(TEMPORARY), folder.join(FILE));
    match storage.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(&temporary)?;
    write_all_at(file.as_ref(), text, 0)?;
    file.sync()?;
    storage.rename(&temporary, &path)?;
    storage.sync_folder(folder)
}
