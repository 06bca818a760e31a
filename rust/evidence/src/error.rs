//! What can go wrong with a log as a whole. Damage inside it is no error: see
//! [`Damage`](crate::Damage).

use std::io;
use std::path::{Path, PathBuf};

use bigsec_event::{Problem, codes};

/// Why the log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no space left, or less than is to be kept free.
    #[error("{}: no space left", path.display())]
    Full {
        /// The file or folder.
        path: PathBuf,
    },
    /// Another writer holds the log.
    #[error("{}: another process writes to this log", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The folder holds no log.
    #[error("{}: {what}", path.display())]
    NotALog {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The log was written by a later version.
    #[error("{}: written in format {version}, which is newer than this program", path.display())]
    Newer {
        /// The file that says so.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The folder holds a log of another name or id.
    #[error("{}: the folder holds the log {found:?}, not {wanted:?}", path.display())]
    OtherLog {
        /// The file that says so.
        path: PathBuf,
        /// What was to be opened.
        wanted: String,
        /// What stands there.
        found: String,
    },
    /// A name that no log can have.
    #[error("{name:?} cannot name a log: 1 to 255 bytes, no `+`, no control characters")]
    Name {
        /// The name.
        name: String,
    },
    /// What is needed is damaged.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// There is no record with the sequence.
    #[error("the log has no record {sequence}: it holds {first} to {end} (exclusive)")]
    NoRecord {
        /// What was asked for.
        sequence: u64,
        /// First that is kept.
        first: u64,
        /// One after the last.
        end: u64,
    },
    /// The log has no key to sign with.
    #[error("the log {name:?} has no signing key")]
    Unsigned {
        /// Name of the log.
        name: String,
    },
}

impl LogError {
    /// From an error of the system: want of space is told apart.
    pub fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, source },
        }
    }

    /// For people, with code, place and mend.
    pub fn problem(&self) -> Problem {
        let (code, mend) = match self {
            Self::Io { .. } => (codes::LOG_IO, "check the disk and who may read and write there"),
            Self::Full { .. } => (codes::LOG_FULL, "free space; intake goes on by itself"),
            Self::Locked { .. } => (codes::LOG_LOCKED, "stop the other, or name another folder"),
            Self::NotALog { .. } => (codes::LOG_NONE, "name the folder of a log"),
            Self::Newer { .. } => (codes::LOG_NEWER, "upgrade; nothing was changed"),
            Self::OtherLog { .. } => (codes::LOG_OTHER, "name another folder, or mend the name"),
            Self::Name { .. } => (codes::LOG_NAME, "choose a name such as relay-1.example.gov"),
            Self::Damaged { .. } => (codes::LOG_DAMAGED, "run `bigsec verify` for all places"),
            Self::NoRecord { .. } => (codes::LOG_NO_RECORD, "check the sequence"),
            Self::Unsigned { .. } => (codes::LOG_UNSIGNED, "name a key file, or make a key"),
        };
        Problem::new(code, self.to_string()).mend(mend)
    }
}

/// Adds the path to an error of the system.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, LogError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, LogError> {
        self.map_err(|source| LogError::io(path, source))
    }
}
