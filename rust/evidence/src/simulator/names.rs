//! The names of files and folders: as they are seen, on the disk, and after a crash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::random::Random;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    /// A file, by its number.
    File(u64),
}

/// A change of a name that was not flushed yet. It happens whole or not at all.
#[derive(Debug, Clone)]
enum Change {
    Link { path: PathBuf, node: Node },
    Rename { from: PathBuf, to: PathBuf, node: Node },
    Unlink { path: PathBuf, node: Node },
}

type Table = BTreeMap<PathBuf, Node>;

impl Change {
    fn apply(&self, names: &mut Table) {
        match self {
            // A new file never takes a name from another: where that one still has it, because
            // its rename or removal was lost, the new one is lost.
            Self::Link { path, node } => {
                names.entry(path.clone()).or_insert(*node);
            }
            Self::Rename { from, to, node } => {
                unlink(names, from, *node);
                names.insert(to.clone(), *node);
            }
            Self::Unlink { path, node } => unlink(names, path, *node),
        }
    }

    /// The folder whose flush makes it durable.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link { path, .. } | Self::Unlink { path, .. } => path.parent(),
            Self::Rename { to, .. } => to.parent(),
        }
    }

    fn node(&self) -> Node {
        match self {
            Self::Link { node, .. } | Self::Rename { node, .. } | Self::Unlink { node, .. } => {
                *node
            }
        }
    }
}

/// Removes a name if it still stands for this file: another may have taken it.
fn unlink(names: &mut Table, path: &Path, node: Node) {
    if names.get(path) == Some(&node) {
        names.remove(path);
    }
}

/// All names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    seen: Table,
    durable: Table,
    pending: Vec<Change>,
}

impl Names {
    /// The root is a folder, and so is the folder in which relative paths begin.
    pub(super) fn is_folder(&self, path: &Path) -> bool {
        path.parent().is_none()
            || path.as_os_str().is_empty()
            || self.seen.get(path) == Some(&Node::Folder)
    }

    pub(super) fn get(&self, path: &Path) -> Option<Node> {
        self.seen.get(path).copied()
    }

    /// What lies in a folder, sorted.
    pub(super) fn list(&self, folder: &Path) -> Vec<PathBuf> {
        self.seen.keys().filter(|path| path.parent() == Some(folder)).cloned().collect()
    }

    pub(super) fn link(&mut self, path: &Path, node: Node) {
        self.change(Change::Link { path: path.to_owned(), node });
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path, node: Node) {
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), node });
    }

    pub(super) fn unlink(&mut self, path: &Path, node: Node) {
        self.change(Change::Unlink { path: path.to_owned(), node });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    /// Makes the names of one folder durable.
    pub(super) fn sync(&mut self, folder: &Path) {
        let mut left: Vec<Change> = Vec::new();
        for change in std::mem::take(&mut self.pending) {
            if change.folder() != Some(folder) {
                left.push(change);
                continue;
            }
            if let Change::Link { path, .. } = &change {
                // The name was freed by a rename to another folder: both are durable or none.
                let frees = |rename: &mut Change| matches!(rename, Change::Rename { from, .. } if from == path);
                for rename in left.extract_if(.., frees) {
                    rename.apply(&mut self.durable);
                }
            }
            change.apply(&mut self.durable);
            if let Node::File(_) = change.node() {
                // The file is where this change put it: what was to be done with it before, in
                // another folder, can no longer happen after it.
                left.retain(|earlier| earlier.node() != change.node());
            }
        }
        self.pending = left;
    }

    /// Whether a file can still be reached, or may be after a crash.
    pub(super) fn mentions(&self, file: u64) -> bool {
        let node = Node::File(file);
        self.is_linked(file)
            || self.durable.values().any(|named| *named == node)
            || self.pending.iter().any(|change| change.node() == node)
    }

    /// Whether a file has a name.
    pub(super) fn is_linked(&self, file: u64) -> bool {
        self.seen.values().any(|named| *named == Node::File(file))
    }

    /// The names as the disk may show them after a crash.
    pub(super) fn crash(&self, random: &mut Random) -> Self {
        let mut names = self.durable.clone();
        let prefix = match random.below(4) {
            0 => Some(0),
            1 => Some(self.pending.len()),
            2 => Some(random.below(self.pending.len() + 1)),
            _ => None,
        };
        for (index, change) in self.pending.iter().enumerate() {
            if prefix.map_or_else(|| random.one_in(2), |prefix| index < prefix) {
                change.apply(&mut names);
            }
        }
        let mut seen = Table::new();
        for (path, node) in names {
            let parent = path.parent().unwrap_or(Path::new(""));
            let stands = parent.parent().is_none() || seen.get(parent) == Some(&Node::Folder);
            if stands {
                seen.insert(path, node);
            }
        }
        Self { durable: seen.clone(), seen, pending: Vec::new() }
    }
}
