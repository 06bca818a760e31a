//! The door to files. Nothing else in this crate, nor in `bigsec-collect`, touches them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Size in bytes; 0 for a pipe.
    pub size: u64,
    /// Time of the last change, µs since 1970 UTC.
    pub modified_us: i64,
    /// False for pipes and devices, which can be read only once.
    pub is_regular: bool,
    /// Device and inode: the same file under another name. 0 where the system has none.
    pub identity: (u64, u64),
}

/// Space of the file system that a path lies on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What this process may still use.
    pub free: u64,
    /// All there is.
    pub total: u64,
}

/// Files and folders; tests bring their own.
///
/// What is written is certain to outlast a power cut only after [`StoredFile::sync`]; a name that
/// was made, changed or removed, only after [`sync_folder`](Self::sync_folder).
pub trait Storage: Send + Sync {
    /// Whether only its owner may read a file; true where no file can be read by others.
    fn is_private(&self, path: &Path) -> io::Result<bool> {
        self.stat(path).map(|_| true)
    }
    /// Opens a file at its beginning, for reading once.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    /// Looks at a file.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Makes a file that only its owner may read; fails where one stands already.
    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;
    /// Opens a file for reading anywhere.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;
    /// Opens a file for reading and writing anywhere.
    fn open_write(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;
    /// Gives a file another name, in place of one that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder and those it lies in; only its owner may enter it.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// The paths of what lies in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// Flushes the names of a folder.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Space of the file system that a path lies on.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Takes a lock that ends with the process or when the value is dropped; fails with
    /// `WouldBlock` while another process or value holds it. The file is made where there is none.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>>;
}

/// A lock that is held as long as the value lives.
pub trait Held: Send + Sync {}

/// An open file.
pub trait StoredFile: Send + Sync {
    /// Reads at an offset; may give less than asked for, and 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes at an offset; may take less than was offered.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Flushes content and length. After a failure nothing is known of what was not flushed before.
    fn sync(&self) -> io::Result<()>;
    /// Cuts or lengthens the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Its length.
    fn size(&self) -> io::Result<u64>;
    /// Takes space for the file up to `len`, so that writing there cannot fail for want of it.
    fn reserve(&self, len: u64) -> io::Result<()>;
}

/// Writes all of `bytes` at `offset`.
pub fn write_all_at(file: &dyn StoredFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `buffer` from `offset` as far as the file goes; gives the bytes read.
pub fn read_full_at(
    file: &dyn StoredFile,
    buffer: &mut [u8],
    mut offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
