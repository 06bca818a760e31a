//! What can be read: files, bytes, and streams that come only once.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_event::{Problem, codes};

use crate::storage::Storage;

/// One input.
pub enum Input {
    /// A file; compressed or not.
    Path(PathBuf),
    /// Bytes at hand, under a name.
    Bytes {
        /// The name that its events carry as their source.
        name: String,
        /// The content.
        bytes: Arc<[u8]>,
    },
    /// A stream that can be read once, under a name.
    Stream {
        /// The name that its events carry as their source.
        name: String,
        /// The stream; `None` once it was taken.
        reader: Option<Box<dyn Read + Send>>,
    },
}

impl Input {
    /// The input as the user named it.
    pub fn label(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes { name, .. } | Self::Stream { name, .. } => name.clone(),
        }
    }

    /// The name its events carry: of a file the last part of its path.
    pub fn source(&self) -> String {
        match self {
            Self::Path(path) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into()
            }
            Self::Bytes { name, .. } | Self::Stream { name, .. } => name.clone(),
        }
    }

    /// Its size as stored, where it is known.
    pub(crate) fn size(&self, storage: &dyn Storage) -> Option<u64> {
        match self {
            Self::Path(path) => {
                storage.stat(path).ok().filter(|stat| stat.is_regular).map(|stat| stat.size)
            }
            Self::Bytes { bytes, .. } => Some(bytes.len() as u64),
            Self::Stream { .. } => None,
        }
    }

    /// Opens it at its beginning; a stream only the first time.
    pub(crate) fn open(&mut self, storage: &dyn Storage) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Path(path) => storage.open(path),
            Self::Bytes { bytes, .. } => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
            Self::Stream { reader, .. } => {
                reader.take().ok_or_else(|| io::Error::other("the stream was already read"))
            }
        }
    }

    /// True where it can be opened again.
    pub(crate) fn is_rereadable(&self, storage: &dyn Storage) -> bool {
        match self {
            Self::Path(path) => storage.stat(path).is_ok_and(|stat| stat.is_regular),
            Self::Bytes { .. } => true,
            Self::Stream { .. } => false,
        }
    }

    pub(crate) fn modified_us(&self, storage: &dyn Storage) -> Option<i64> {
        match self {
            Self::Path(path) => {
                storage.stat(path).ok().filter(|stat| stat.is_regular).map(|stat| stat.modified_us)
            }
            _ => None,
        }
    }
}

/// The problem of an input that cannot be opened.
pub(crate) fn cannot_open(path: &Path, error: &io::Error) -> Problem {
    let file = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Problem::new(codes::INPUT_NOT_FOUND, "no such file")
            .in_file(file)
            .mend("check the spelling of the path"),
        io::ErrorKind::PermissionDenied => {
            Problem::new(codes::INPUT_DENIED, "this user may not read it")
                .in_file(file)
                .mend("run as a user who may, or change its permissions")
        }
        _ => Problem::new(codes::INPUT_BROKEN, format!("cannot be opened: {error}")).in_file(file),
    }
}
