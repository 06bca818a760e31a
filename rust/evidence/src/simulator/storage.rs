//! The simulated file system as a [`Storage`].

use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::{Fault, Operation};
use super::names::Node;
use super::world::World;
use crate::storage::{Held, Space, Stat, Storage, StoredFile};

/// A file system in memory with a volatile cache; clones are the same one.
#[derive(Debug, Clone)]
pub struct SimStorage {
    world: Shared,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimStorage {
    /// An empty one; the seed decides what failed flushes leave on the disk.
    pub fn new(seed: u64) -> Self {
        Self::of(World::new(seed))
    }

    fn of(world: World) -> Self {
        Self { world: Shared(Arc::new(Mutex::new(world))) }
    }

    /// The machine after its power went and came back, one of the many ways it may.
    ///
    /// This one stays as it is, so that it can crash again with another seed. Faults that were
    /// planned here do not go along.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        Self::of(self.world.lock().crash(seed))
    }

    /// The machine after the process ended: locks are free, the cache is as it was.
    #[must_use]
    pub fn killed(&self) -> Self {
        Self::of(self.world.lock().killed())
    }

    /// Stops the machine after its `operation`-th change: every later call fails.
    pub fn crash_at(&self, operation: u64) {
        self.world.lock().crash_at = Some(operation);
    }

    /// Whether it was stopped.
    pub fn is_down(&self) -> bool {
        self.world.lock().is_down()
    }

    /// How many calls have changed something.
    pub fn operations(&self) -> u64 {
        self.world.lock().operations
    }

    /// How many calls of one kind there were.
    pub fn count(&self, operation: Operation) -> u64 {
        self.world.lock().plan.count(operation)
    }

    /// Makes calls of one kind fail: those in `calls`, counted from 1 from now on.
    pub fn fail(&self, operation: Operation, calls: Range<u64>, fault: Fault) {
        self.world.lock().plan.add(operation, calls, fault);
    }

    /// Lets all calls succeed again.
    pub fn heal(&self) {
        self.world.lock().plan.clear();
    }

    /// Limits the space of the file system; `None` is no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.world.lock().capacity = bytes;
    }

    /// How much of the space somebody else has taken.
    pub fn set_foreign(&self, bytes: u64) {
        self.world.lock().foreign = bytes;
    }

    /// Changes bytes of a file on the disk and in the cache alike, behind everybody's back: what a
    /// bad disk or a forger does.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut world = self.world.lock();
        let file = world.file(path)?;
        let content = &mut world.open_file(file)?.content;
        let mut bytes = content.bytes().to_vec();
        change(&mut bytes);
        content.set_len(0);
        content.write(&bytes, 0);
        content.sync();
        Ok(())
    }

    fn handle(&self, world: &mut World, file: u64, writable: bool) -> Box<dyn StoredFile> {
        if let Some(open) = world.files.get_mut(&file) {
            open.handles += 1;
        }
        Box::new(SimFile { world: self.world.clone(), file, writable })
    }

    fn open_handle(&self, path: &Path, writable: bool) -> io::Result<Box<dyn StoredFile>> {
        let mut world = self.world.lock();
        if let Some(fault) = world.call(Operation::Open)?.filter(|fault| *fault != Fault::Short) {
            return Err(fault.error());
        }
        let file = world.file(path)?;
        Ok(self.handle(&mut world, file, writable))
    }
}

/// Does what a call does, unless its fault forbids it.
fn carry_out<T>(
    world: &mut World,
    operation: Operation,
    act: impl FnOnce(&mut World) -> io::Result<T>,
) -> io::Result<T> {
    match world.call(operation)? {
        None | Some(Fault::Short) => act(world),
        Some(Fault::After) => {
            act(world)?;
            Err(Fault::After.error())
        }
        Some(fault) => Err(fault.error()),
    }
}

impl Storage for SimStorage {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Open, |world| {
            let file = world.file(path)?;
            let bytes = world.open_file(file)?.content.bytes().to_vec();
            Ok(Box::new(Cursor::new(bytes)) as Box<dyn Read + Send>)
        })
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Open, |world| {
            if world.names.is_folder(path) {
                return Ok(Stat { size: 0, modified_us: 0, is_regular: false, identity: (1, 0) });
            }
            let file = world.file(path)?;
            let size = world.open_file(file)?.content.bytes().len() as u64;
            Ok(Stat { size, modified_us: 0, is_regular: true, identity: (1, file) })
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        let mut world = self.world.lock();
        let file = carry_out(&mut world, Operation::Create, |world| world.create(path))?;
        Ok(self.handle(&mut world, file, true))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.open_handle(path, false)
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.open_handle(path, true)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Rename, |world| {
            let file = world.file(from)?;
            if world.names.is_folder(to) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if !world.names.is_folder(to.parent().unwrap_or(Path::new(""))) {
                return Err(io::ErrorKind::NotFound.into());
            }
            world.names.rename(from, to, Node::File(file));
            world.forget_unreachable();
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Remove, |world| {
            let file = world.file(path)?;
            world.names.unlink(path, Node::File(file));
            Ok(())
        })
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::CreateFolder, |world| {
            let mut missing: Vec<&Path> =
                path.ancestors().take_while(|path| !world.names.is_folder(path)).collect();
            while let Some(folder) = missing.pop() {
                if world.names.get(folder).is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                world.names.link(folder, Node::Folder);
            }
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Open, |world| {
            if !world.names.is_folder(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(world.names.list(path))
        })
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::SyncFolder, |world| {
            if !world.names.is_folder(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            world.names.sync(path);
            world.forget_unreachable();
            Ok(())
        })
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Open, |world| {
            Ok(Space { free: world.free(), total: world.total() })
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        let mut world = self.world.lock();
        if world.names.get(path).is_none() {
            carry_out(&mut world, Operation::Create, |world| world.create(path))?;
        }
        if !world.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock { world: self.world.clone(), path: path.to_owned() }))
    }
}

struct SimLock {
    world: Shared,
    path: PathBuf,
}

impl Held for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.world.lock().locks.remove(&self.path);
    }
}

struct SimFile {
    world: Shared,
    file: u64,
    writable: bool,
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if let Ok(file) = self.world.lock().open_file(self.file) {
            file.handles = file.handles.saturating_sub(1);
        }
    }
}

impl StoredFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Read, |world| {
            let bytes = world.open_file(self.file)?.content.bytes();
            let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
            let rest = rest.unwrap_or_default();
            let read = rest.len().min(buffer.len());
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.check_writable()?;
        let mut world = self.world.lock();
        let fault = world.call(Operation::Write)?;
        let wanted = match fault {
            None | Some(Fault::After) => bytes.len(),
            Some(Fault::Short) => bytes.len().div_ceil(2),
            Some(_) => bytes.len() / 2,
        };
        let room = world.room(self.file).saturating_sub(offset);
        let taken = wanted.min(usize::try_from(room).unwrap_or(usize::MAX));
        if taken > 0 {
            let at = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
            world.open_file(self.file)?.content.write(&bytes[..taken], at);
        }
        match fault {
            None | Some(Fault::Short) if taken > 0 || bytes.is_empty() => Ok(taken),
            None | Some(Fault::Short) => Err(Fault::Full.error()),
            Some(fault) => Err(fault.error()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.check_writable()?;
        let mut world = self.world.lock();
        match world.call(Operation::Sync)? {
            None | Some(Fault::Short) => {
                world.open_file(self.file)?.content.sync();
                Ok(())
            }
            Some(fault) => {
                world.fail_sync(self.file);
                Err(fault.error())
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::SetLen, |world| {
            if len > world.room(self.file) {
                return Err(Fault::Full.error());
            }
            let file = world.open_file(self.file)?;
            file.content.set_len(usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?);
            // Cutting gives back what was taken beyond the end.
            file.reserved = file.reserved.min(len);
            Ok(())
        })
    }

    fn size(&self) -> io::Result<u64> {
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Open, |world| {
            Ok(world.open_file(self.file)?.content.bytes().len() as u64)
        })
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut world = self.world.lock();
        carry_out(&mut world, Operation::Reserve, |world| {
            if len > world.room(self.file) {
                return Err(Fault::Full.error());
            }
            let file = world.open_file(self.file)?;
            file.reserved = file.reserved.max(len);
            Ok(())
        })
    }
}
