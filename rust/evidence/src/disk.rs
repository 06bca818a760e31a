//! The machine's files: the one place of this crate, and of `bigsec-collect`, that touches them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::clock::micros;
use crate::storage::{Held, Space, Stat, Storage, StoredFile};

/// The machine's file systems.
///
/// Files are made for their owner alone (0600), and so are folders (0700), where the system knows
/// such rights.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Storage for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let metadata = std::fs::metadata(path)?;
        Ok(Stat {
            size: if metadata.is_file() { metadata.len() } else { 0 },
            modified_us: micros(metadata.modified()?),
            is_regular: metadata.is_file(),
            identity: system::identity(&metadata),
        })
    }

    fn is_private(&self, path: &Path) -> io::Result<bool> {
        Ok(system::is_private(&std::fs::metadata(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        system::owner_only(&mut options);
        Ok(Box::new(DiskFile(options.open(path)?)))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        Ok(Box::new(DiskFile(File::open(path)?)))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        Ok(Box::new(DiskFile(OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        system::owner_only_folder(&mut builder);
        builder.create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort_unstable();
        Ok(paths)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        system::sync_folder(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        system::space(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        system::owner_only(&mut options);
        let file = options.open(path)?;
        file.try_lock()?;
        Ok(Box::new(DiskLock { _file: file }))
    }
}

/// A lock of the system's on an open file; it ends when the file is closed.
struct DiskLock {
    _file: File,
}

impl Held for DiskLock {}

struct DiskFile(File);

impl StoredFile for DiskFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        system::read_at(&self.0, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        system::write_at(&self.0, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        // `fdatasync`: it flushes the length too, and leaves out the times, which nobody needs.
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        system::reserve(&self.0, len)
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    use crate::storage::Space;

    pub(super) fn owner_only(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub(super) fn is_private(metadata: &Metadata) -> bool {
        metadata.mode().is_multiple_of(0o100)
    }

    pub(super) fn owner_only_folder(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
        (metadata.dev(), metadata.ino())
    }

    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }

    pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    pub(super) fn space(path: &Path) -> io::Result<Space> {
        let of = rustix::fs::statvfs(path)?;
        Ok(Space {
            free: of.f_bavail.saturating_mul(of.f_frsize),
            total: of.f_blocks.saturating_mul(of.f_frsize),
        })
    }

    /// The length stays as it is: readers must never meet the zeros of space not yet used.
    #[cfg(target_os = "linux")]
    pub(super) fn reserve(file: &File, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, len)?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn reserve(_: &File, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::windows::fs::FileExt;
    use std::path::Path;

    use crate::storage::Space;

    // A file takes the rights of the folder it lies in.
    pub(super) fn owner_only(_: &mut OpenOptions) {}

    pub(super) fn owner_only_folder(_: &mut DirBuilder) {}

    pub(super) fn is_private(_: &Metadata) -> bool {
        true
    }

    pub(super) fn identity(_: &Metadata) -> (u64, u64) {
        (0, 0)
    }

    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.seek_read(buffer, offset)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.seek_write(bytes, offset)
    }

    // The system keeps names in a journal of its own and has no call to flush them.
    pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    // The standard library cannot tell: no limit is known.
    pub(super) fn space(_: &Path) -> io::Result<Space> {
        Ok(Space { free: u64::MAX, total: u64::MAX })
    }

    pub(super) fn reserve(_: &File, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{read_full_at, write_all_at};

    #[test]
    fn a_file_is_written_read_cut_and_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a/b/one"), folder.path().join("a/b/two"));
        Disk.create_folder(path.parent().unwrap()).unwrap();
        Disk.create_folder(path.parent().unwrap()).unwrap();
        let file = Disk.create(&path).unwrap();
        assert_eq!(
            Disk.create(&path).err().map(|error| error.kind()),
            Some(io::ErrorKind::AlreadyExists)
        );
        write_all_at(file.as_ref(), b"abcdef", 2).unwrap();
        file.set_len(7).unwrap();
        file.sync().unwrap();
        Disk.rename(&path, &other).unwrap();
        Disk.sync_folder(other.parent().unwrap()).unwrap();
        assert_eq!(Disk.list(other.parent().unwrap()).unwrap(), std::slice::from_ref(&other));
        let mut bytes = [9; 8];
        let reader = Disk.open_read(&other).unwrap();
        assert_eq!(read_full_at(reader.as_ref(), &mut bytes, 0).unwrap(), 7);
        assert_eq!(&bytes, b"\0\0abcde\x09");
        assert_eq!(Disk.stat(&other).unwrap().size, 7);
        Disk.remove(&other).unwrap();
        assert!(Disk.open_write(&other).is_err());
    }

    #[test]
    fn a_lock_is_held_by_one_value_and_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Disk.lock(&path).unwrap();
        assert_eq!(
            Disk.lock(&path).err().map(|error| error.kind()),
            Some(io::ErrorKind::WouldBlock)
        );
        drop(held);
        assert!(Disk.lock(&path).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_owner_may_read_and_reserved_space_leaves_the_length() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/file");
        Disk.create_folder(path.parent().unwrap()).unwrap();
        let file = Disk.create(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        file.reserve(1 << 20).unwrap();
        assert_eq!(file.size().unwrap(), 0);
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 >= 1 << 20);
        let space = Disk.space(&path).unwrap();
        assert!(space.free > 0 && space.free <= space.total);
    }
}
