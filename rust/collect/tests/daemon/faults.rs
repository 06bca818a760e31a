//! Disks that fill and break: nothing is acknowledged meanwhile, health says so, and it heals.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bigsec_collect::storage::{Disk, Held, Space, Stat, Storage, StoredFile};
use serde_json::json;

use crate::relay::{Relay, document, lines, tcp};

/// What is wrong with the disk at present.
#[derive(Default)]
struct Faults {
    full: AtomicBool,
    /// It says so when it is asked for its space, too.
    honest: AtomicBool,
    no_flush: AtomicBool,
}

/// The machine's disk with faults that a test switches on and off.
#[derive(Default, Clone)]
struct FaultyDisk(Arc<Faults>);

struct FaultyFile {
    file: Box<dyn StoredFile>,
    faults: Arc<Faults>,
}

impl FaultyDisk {
    fn file(&self, file: io::Result<Box<dyn StoredFile>>) -> io::Result<Box<dyn StoredFile>> {
        Ok(Box::new(FaultyFile { file: file?, faults: Arc::clone(&self.0) }))
    }
}

impl Storage for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Disk.open(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Disk.stat(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.file(Disk.create(path))
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.file(Disk.open_read(path))
    }
    fn open_write(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.file(Disk.open_write(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Disk.create_folder(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        Disk.list(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Disk.sync_folder(path)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        let space = Disk.space(path)?;
        let full = self.0.full.load(Ordering::SeqCst) && self.0.honest.load(Ordering::SeqCst);
        Ok(if full { Space { free: 0, ..space } } else { space })
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        Disk.lock(path)
    }
}

impl StoredFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        // What lies is full only for what is written, not where a bit is written over.
        if self.faults.full.load(Ordering::SeqCst) && !self.faults.honest.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        if self.faults.no_flush.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk does not flush"));
        }
        self.file.sync()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn reserve(&self, len: u64) -> io::Result<()> {
        self.file.reserve(len)
    }
}

/// Sends 100 records while a fault lasts, and 100 more after it.
fn through(fault: fn(&Faults) -> &AtomicBool, honest: bool, part: &str) {
    let data = tempfile::tempdir().expect("a folder");
    let disk = FaultyDisk::default();
    disk.0.honest.store(honest, Ordering::SeqCst);
    let settings = document(data.path(), &json!({"app": tcp()}));
    let relay = Relay::on(Arc::new(disk.clone()), &settings, None);
    relay.send("app", &lines(0, 100));
    relay.chunks_to(100);
    fault(&disk.0).store(true, Ordering::SeqCst);
    let sender = relay.send("app", &lines(100, 200));
    let clock = std::time::Instant::now();
    let status = relay.wait_for("degraded health", |status| status["health"]["state"] != "ok");
    assert!(clock.elapsed() < Duration::from_secs(2), "{:?}", clock.elapsed());
    assert_eq!(status["health"]["reasons"][0]["part"], part);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(relay.daemon.status()["log"]["size"], 100, "nothing counts meanwhile");
    let next = relay.daemon.next_chunk(Duration::from_millis(100));
    assert!(next.expect("the reader lives").is_none());
    fault(&disk.0).store(false, Ordering::SeqCst);
    let clock = std::time::Instant::now();
    let chunks = relay.chunks_to(200);
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    assert_eq!(chunks.first().map(|chunk| chunk.first), Some(100));
    relay.wait_for("good health", |status| status["health"]["state"] == "ok");
    drop(sender);
    relay.send("app", &lines(200, 300));
    relay.chunks_to(300);
}

#[test]
fn p6_a_disk_without_room_stops_intake_and_heals() {
    through(|faults| &faults.full, true, "disk");
}

#[test]
fn p6_a_disk_that_fills_while_it_is_written_to_loses_nothing() {
    through(|faults| &faults.full, false, "log");
}

#[test]
fn p5_a_flush_that_fails_is_visible_and_its_records_come_once() {
    through(|faults| &faults.no_flush, false, "log");
}

#[test]
fn p6_the_platforms_own_records_go_in_where_others_do_not() {
    let data = tempfile::tempdir().expect("a folder");
    let disk = FaultyDisk::default();
    disk.0.honest.store(true, Ordering::SeqCst);
    let settings = document(data.path(), &json!({"app": tcp()}));
    let relay = Relay::on(Arc::new(disk.clone()), &settings, None);
    relay.send("app", &lines(0, 10));
    relay.chunks_to(10);
    disk.0.full.store(true, Ordering::SeqCst);
    relay.send("app", &lines(10, 20));
    relay.wait_for("degraded health", |status| status["health"]["state"] != "ok");
    let own = [br#"{"platform_event":"disk_full"}"#.to_vec()];
    let end = relay.daemon.append("bigsec.watch", &own, Duration::from_secs(5));
    assert_eq!(end, Ok(11), "before those that wait");
    disk.0.full.store(false, Ordering::SeqCst);
    relay.chunks_to(21);
}

#[test]
fn a_stop_while_the_disk_is_full_ends_in_time_and_acknowledges_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let disk = FaultyDisk::default();
    let settings = document(data.path(), &json!({"app": tcp()}));
    let relay = Relay::on(Arc::new(disk.clone()), &settings, None);
    relay.send("app", &lines(0, 10));
    relay.chunks_to(10);
    disk.0.full.store(true, Ordering::SeqCst);
    let sender = relay.send("app", &lines(10, 20));
    relay.wait_for("degraded health", |status| status["health"]["state"] != "ok");
    let clock = std::time::Instant::now();
    relay.daemon.stop(Duration::from_secs(1));
    assert!(clock.elapsed() < Duration::from_secs(8), "{:?}", clock.elapsed());
    assert_eq!(relay.daemon.status()["log"]["size"], 10);
    drop(sender);
}
