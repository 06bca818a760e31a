//! The state of the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::content::Content;
use super::fault::{Fault, Operation, Plan};
use super::names::{Names, Node};
use super::random::Random;

/// Space is given out in blocks, as file systems do.
const BLOCK: u64 = 4_096;

#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) content: Content,
    pub(super) reserved: u64,
    pub(super) handles: usize,
}

impl File {
    fn space(&self) -> u64 {
        (self.content.bytes().len() as u64).max(self.reserved).next_multiple_of(BLOCK)
    }
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) names: Names,
    pub(super) files: BTreeMap<u64, File>,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) plan: Plan,
    pub(super) capacity: Option<u64>,
    pub(super) foreign: u64,
    pub(super) crash_at: Option<u64>,
    pub(super) operations: u64,
    down: bool,
    last_file: u64,
    random: Random,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            names: Names::default(),
            files: BTreeMap::new(),
            locks: BTreeSet::new(),
            plan: Plan::default(),
            capacity: None,
            foreign: 0,
            crash_at: None,
            operations: 0,
            down: false,
            last_file: 0,
            random: Random::new(seed),
        }
    }

    /// Counts a call, and says whether it is to fail; an error where the machine is down.
    pub(super) fn call(&mut self, operation: Operation) -> io::Result<Option<Fault>> {
        let counted = operation.changes();
        if self.down || (counted && self.crash_at.is_some_and(|at| self.operations >= at)) {
            self.down = true;
            return Err(io::Error::other("the simulated machine is down"));
        }
        self.operations += u64::from(counted);
        Ok(self.plan.call(operation))
    }

    /// Whether the machine has reached the operation it was to crash at.
    pub(super) fn is_down(&self) -> bool {
        self.down
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None if self.names.is_folder(path) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        if self.names.get(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let parent = path.parent().unwrap_or(Path::new(""));
        if !self.names.is_folder(parent) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.last_file += 1;
        self.files.insert(self.last_file, File::default());
        self.names.link(path, Node::File(self.last_file));
        Ok(self.last_file)
    }

    /// The file of an open handle.
    pub(super) fn open_file(&mut self, file: u64) -> io::Result<&mut File> {
        self.files.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Fails the flush of a file.
    pub(super) fn fail_sync(&mut self, file: u64) {
        if let Some(file) = self.files.get_mut(&file) {
            file.content.fail_sync(&mut self.random);
        }
    }

    /// How much larger a file of this many bytes may become.
    pub(super) fn room(&self, file: u64) -> u64 {
        let own = self.files.get(&file).map_or(0, File::space);
        own.saturating_add(self.free())
    }

    pub(super) fn total(&self) -> u64 {
        self.capacity.unwrap_or(1 << 50)
    }

    pub(super) fn free(&self) -> u64 {
        let takes = |number: &u64, file: &File| file.handles > 0 || self.names.is_linked(*number);
        let own: u64 = self
            .files
            .iter()
            .filter(|(number, file)| takes(number, file))
            .map(|(_, file)| file.space())
            .sum();
        self.total().saturating_sub(own).saturating_sub(self.foreign) / BLOCK * BLOCK
    }

    /// Forgets the bytes of files that nobody can reach any more.
    pub(super) fn forget_unreachable(&mut self) {
        let names = &self.names;
        self.files.retain(|number, file| file.handles > 0 || names.mentions(*number));
    }

    /// The machine after its power went and came back.
    pub(super) fn crash(&self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let names = self.names.crash(&mut random);
        let files = self
            .files
            .iter()
            .filter(|(number, _)| names.mentions(**number))
            .map(|(number, file)| {
                let content = file.content.crash(&mut random);
                (*number, File { content, reserved: file.reserved, handles: 0 })
            })
            .collect();
        Self {
            names,
            files,
            capacity: self.capacity,
            foreign: self.foreign,
            last_file: self.last_file,
            random,
            ..Self::new(seed)
        }
    }

    /// The machine after the process alone ended.
    pub(super) fn killed(&self) -> Self {
        let mut files = self.files.clone();
        for file in files.values_mut() {
            file.handles = 0;
        }
        Self {
            files,
            locks: BTreeSet::new(),
            plan: Plan::default(),
            crash_at: None,
            operations: 0,
            down: false,
            ..self.clone()
        }
    }
}
