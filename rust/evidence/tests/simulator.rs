//! The simulated machine loses what it may lose and keeps what it must keep.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::simulator::{Fault, Operation, SimClock, SimStorage};
use bigsec_evidence::storage::{Storage, read_full_at, write_all_at};

const SEEDS: u64 = 400;

fn path(name: &str) -> PathBuf {
    Path::new("/log").join(name)
}

/// A machine with a durable folder `/log`.
fn machine() -> SimStorage {
    let storage = SimStorage::new(7);
    storage.create_folder(Path::new("/log")).unwrap();
    storage.sync_folder(Path::new("/")).unwrap();
    storage
}

fn put(storage: &SimStorage, name: &str, bytes: &[u8]) {
    let file = storage.create(&path(name)).unwrap();
    write_all_at(file.as_ref(), bytes, 0).unwrap();
    file.sync().unwrap();
}

fn get(storage: &SimStorage, name: &str) -> Option<Vec<u8>> {
    let file = storage.open_read(&path(name)).ok()?;
    let mut bytes = vec![0; file.size().unwrap() as usize];
    read_full_at(file.as_ref(), &mut bytes, 0).unwrap();
    Some(bytes)
}

fn names(storage: &SimStorage) -> Vec<String> {
    let paths = storage.list(Path::new("/log")).unwrap();
    paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_was_flushed_stays_and_what_was_not_comes_in_every_form() {
    let storage = machine();
    put(&storage, "a", &[1; 1_000]);
    storage.sync_folder(Path::new("/log")).unwrap();
    let file = storage.open_write(&path("a")).unwrap();
    write_all_at(file.as_ref(), &[2; 3_000], 1_000).unwrap();
    write_all_at(file.as_ref(), &[3; 100], 4_000).unwrap();
    let mut lengths = BTreeSet::new();
    let (mut later_without_earlier, mut within_a_sector) = (false, false);
    for seed in 0..SEEDS {
        let bytes = get(&storage.crash(seed), "a").expect("its name was flushed");
        assert_eq!(&bytes[..1_000], &[1; 1_000]);
        lengths.insert(bytes.len());
        later_without_earlier |= bytes.len() == 4_100 && bytes[1_000..4_000] != [2; 3_000];
        within_a_sector |= bytes.len() < 4_000 && !bytes.len().is_multiple_of(512);
    }
    assert!(lengths.contains(&1_000) && lengths.contains(&4_100) && lengths.len() > 10);
    assert!(later_without_earlier && within_a_sector);
    file.sync().unwrap();
    for seed in 0..SEEDS {
        let bytes = get(&storage.crash(seed), "a").unwrap();
        assert!(bytes[1_000..4_000] == [2; 3_000] && bytes[4_000..] == [3; 100]);
    }
}

#[test]
fn a_cut_that_was_not_flushed_may_not_have_been() {
    let storage = machine();
    put(&storage, "a", &[1; 1_000]);
    storage.sync_folder(Path::new("/log")).unwrap();
    storage.open_write(&path("a")).unwrap().set_len(10).unwrap();
    let lengths: BTreeSet<usize> =
        (0..SEEDS).map(|seed| get(&storage.crash(seed), "a").unwrap().len()).collect();
    assert_eq!(lengths, BTreeSet::from([10, 1_000]));
}

#[test]
fn names_are_durable_with_their_folder_alone() {
    let storage = machine();
    put(&storage, "made", b"1");
    let seen = |storage: &SimStorage| -> BTreeSet<Vec<String>> {
        (0..SEEDS).map(|seed| names(&storage.crash(seed))).collect()
    };
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(seen(&storage), BTreeSet::from([list(&[]), list(&["made"])]));
    storage.sync_folder(Path::new("/log")).unwrap();
    storage.rename(&path("made"), &path("named")).unwrap();
    assert_eq!(seen(&storage), BTreeSet::from([list(&["made"]), list(&["named"])]));
    storage.remove(&path("named")).unwrap();
    assert_eq!(seen(&storage), BTreeSet::from([list(&[]), list(&["made"]), list(&["named"])]));
    storage.sync_folder(Path::new("/log")).unwrap();
    assert_eq!(seen(&storage), BTreeSet::from([list(&[])]));
}

#[test]
fn a_rename_into_another_folder_never_loses_the_file() {
    let storage = machine();
    storage.create_folder(&path("damaged")).unwrap();
    put(&storage, "a", b"1");
    storage.sync_folder(Path::new("/log")).unwrap();
    storage.rename(&path("a"), &path("damaged/a")).unwrap();
    storage.sync_folder(Path::new("/log")).unwrap();
    put(&storage, "a", b"2");
    for seed in 0..SEEDS {
        let after = storage.crash(seed);
        let (old, new) = (get(&after, "damaged/a"), get(&after, "a"));
        assert!(
            old.as_deref() == Some(b"1") || new.as_deref() == Some(b"1"),
            "{old:?} {new:?} seed {seed}"
        );
    }
    storage.sync_folder(&path("damaged")).unwrap();
    storage.sync_folder(Path::new("/log")).unwrap();
    let after = storage.crash(1);
    assert_eq!(get(&after, "damaged/a").as_deref(), Some(&b"1"[..]));
    assert_eq!(get(&after, "a").as_deref(), Some(&b"2"[..]));
}

#[test]
fn what_a_failed_flush_left_behind_never_becomes_durable() {
    let storage = machine();
    put(&storage, "a", &[1; 600]);
    storage.sync_folder(Path::new("/log")).unwrap();
    let file = storage.open_write(&path("a")).unwrap();
    let mut lost = false;
    for round in 0..20 {
        write_all_at(file.as_ref(), &[2; 600], 600).unwrap();
        storage.fail(Operation::Sync, 1..2, Fault::Before);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(get(&storage, "a").unwrap()[600..], [2; 600], "it is still in the cache");
        let killed = storage.killed();
        killed.open_write(&path("a")).unwrap().sync().unwrap();
        lost |= get(&killed.crash(round), "a").unwrap()[600..] != [2; 600];
        file.set_len(600).unwrap();
        file.sync().unwrap();
        assert_eq!(get(&storage.crash(round), "a").unwrap(), [1; 600]);
    }
    assert!(lost);
}

#[test]
fn the_machine_stops_after_the_operation_that_was_named() {
    for stop in 0..=6 {
        let storage = SimStorage::new(1);
        storage.crash_at(stop);
        let act = || -> io::Result<()> {
            storage.create_folder(Path::new("/log"))?;
            storage.sync_folder(Path::new("/"))?;
            let file = storage.create(&path("a"))?;
            write_all_at(file.as_ref(), b"1", 0)?;
            file.sync()?;
            storage.sync_folder(Path::new("/log"))
        };
        assert_eq!(act().is_ok(), stop == 6);
        assert_eq!((storage.operations(), storage.is_down()), (stop, stop < 6));
        let after = storage.crash(3);
        assert!(stop < 6 || get(&after, "a").as_deref() == Some(b"1"));
        assert!(stop > 0 || !after.list(Path::new("/")).unwrap().contains(&"/log".into()));
    }
}

#[test]
fn faults_hit_the_calls_they_were_planned_for() {
    let storage = machine();
    put(&storage, "a", b"");
    let file = storage.open_write(&path("a")).unwrap();
    storage.fail(Operation::Write, 2..3, Fault::Short);
    storage.fail(Operation::Write, 4..5, Fault::Before);
    assert_eq!(file.write_at(b"1234", 0).unwrap(), 4);
    assert_eq!(file.write_at(b"5678", 4).unwrap(), 2);
    assert_eq!(file.write_at(b"78", 6).unwrap(), 2);
    assert!(file.write_at(b"90", 8).is_err());
    assert_eq!(get(&storage, "a").unwrap(), b"123456789", "half of a failed write was done");
    storage.fail(Operation::Rename, 1..2, Fault::After);
    assert!(storage.rename(&path("a"), &path("b")).is_err());
    assert_eq!(names(&storage), ["b"]);
    storage.fail(Operation::Create, 1..u64::MAX, Fault::Before);
    assert!(storage.create(&path("c")).is_err());
    storage.heal();
    storage.create(&path("c")).unwrap();
}

#[test]
fn a_full_disk_takes_what_fits_and_a_removed_file_frees_space_when_it_is_closed() {
    let storage = machine();
    storage.set_capacity(Some(16_384));
    put(&storage, "a", &[1; 8_192]);
    let file = storage.create(&path("b")).unwrap();
    storage.set_foreign(4_096);
    assert_eq!(file.write_at(&[2; 5_000], 0).unwrap(), 4_096);
    let full = file.write_at(&[2; 904], 4_096).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    let open = storage.open_read(&path("a")).unwrap();
    storage.remove(&path("a")).unwrap();
    assert_eq!(storage.space(Path::new("/log")).unwrap().free, 0);
    drop(open);
    assert_eq!(storage.space(Path::new("/log")).unwrap().free, 8_192);
    file.reserve(12_288).unwrap();
    assert_eq!(storage.space(Path::new("/log")).unwrap().free, 0);
    write_all_at(file.as_ref(), &[2; 8_192], 4_096).unwrap();
    assert_eq!(file.reserve(12_289).unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_lock_ends_with_its_value_and_with_the_process() {
    let storage = machine();
    let held = storage.lock(&path("lock")).unwrap();
    let second = storage.lock(&path("lock")).err().map(|error| error.kind());
    assert_eq!(second, Some(io::ErrorKind::WouldBlock));
    assert!(storage.killed().lock(&path("lock")).is_ok());
    assert!(storage.crash(1).lock(&path("lock")).is_ok());
    drop(held);
    assert!(storage.lock(&path("lock")).is_ok());
}

#[test]
fn a_jump_of_the_clock_is_no_time_that_passed() {
    let clock = SimClock::new(1_000_000);
    clock.pass(Duration::from_secs(2));
    clock.jump(-5_000_000);
    assert_eq!((clock.now_us(), clock.elapsed()), (-2_000_000, Duration::from_secs(2)));
    clock.set(7);
    assert_eq!((clock.now_us(), clock.elapsed()), (7, Duration::from_secs(2)));
}
