use super::*;
use crate::disk::Disk;
use crate::keys::Signer;

const DAY_US: i64 = 86_400_000_000;

fn note(size: u64, time_us: i64, elapsed_s: u64) -> Note {
    let mut note = Note {
        origin: "relay-1.example.gov".to_owned(),
        size,
        root: [size as u8; 32],
        time_us,
        elapsed_s,
        first: None,
        next_key: None,
        further: Vec::new(),
        signatures: Vec::new(),
    };
    note.sign(&[&Signer::from_seed("relay-1.example.gov", &[1; 32]).unwrap()]);
    note
}

fn open(dir: &Path) -> Checkpoints {
    Checkpoints::open(Arc::new(Disk), dir, 0, Duration::ZERO).unwrap()
}

fn entries(dir: &Path) -> Vec<Entry> {
    let mut reader = NoteReader::open(&Disk, dir).unwrap().unwrap();
    std::iter::from_fn(|| reader.next_entry().unwrap()).collect()
}

fn sizes(dir: &Path) -> Vec<u64> {
    let size = |entry| match entry {
        Entry::Note { note, .. } => Some(note.size),
        _ => None,
    };
    entries(dir).into_iter().filter_map(size).collect()
}

fn filled(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut notes = open(folder.path());
    for number in 0..count {
        notes.append(&note(number * 10, number.cast_signed(), number)).unwrap();
    }
    folder
}

#[test]
fn notes_come_back_in_order_and_go_on_after_a_restart() {
    let folder = filled(3);
    let mut notes = open(folder.path());
    assert_eq!(notes.last().map(|note| note.size), Some(20));
    notes.append(&note(30, 3, 3)).unwrap();
    assert_eq!(sizes(folder.path()), [0, 10, 20, 30]);
    assert_eq!(last_note(&Disk, folder.path()).unwrap().unwrap().size, 30);
}

#[test]
fn t2_a_note_torn_at_any_byte_is_cut_only_by_the_writer() {
    let folder = filled(2);
    let path = folder.path().join(CHECKPOINTS_FILE);
    let bytes = std::fs::read(&path).unwrap();
    let second = bytes.len() / 2;
    for cut in second + 1..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let seen = entries(folder.path());
        let torn = Entry::Torn { offset: second as u64, len: (cut - second) as u64 };
        assert_eq!(seen[1..], [torn], "cut at {cut}");
        let mut notes = open(folder.path());
        assert!(notes.moved().is_none());
        notes.append(&note(99, 9, 9)).unwrap();
        assert_eq!(sizes(folder.path()), [0, 99]);
    }
}

#[test]
fn p4_a_flipped_byte_is_found_and_costs_at_most_the_notes_it_touches() {
    let folder = filled(5);
    let path = folder.path().join(CHECKPOINTS_FILE);
    let good = std::fs::read(&path).unwrap();
    let key = Signer::from_seed("relay-1.example.gov", &[1; 32]).unwrap().verifier().clone();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let seen = entries(folder.path());
        let whole = |entry: &&Entry| matches!(entry, Entry::Note { note, .. } if note.verify(std::slice::from_ref(&key)).is_ok());
        let left = seen.iter().filter(whole).count();
        assert!((3..5).contains(&left), "{left} left after a flip at {at}");
    }
}

#[test]
fn p4_what_is_no_note_at_the_end_is_kept_aside() {
    let folder = filled(2);
    let path = folder.path().join(CHECKPOINTS_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let good = bytes.len();
    bytes.extend_from_slice(b"neither\n\nnor\n\n");
    std::fs::write(&path, &bytes).unwrap();
    let notes = open(folder.path());
    assert_eq!(std::fs::read(notes.moved().unwrap()).unwrap(), bytes[good..]);
    assert_eq!(std::fs::read(&path).unwrap(), bytes[..good]);
    assert_eq!(sizes(folder.path()), [0, 10]);
}

#[test]
fn t2_a_note_of_which_a_power_cut_left_some_sectors_is_torn() {
    let folder = filled(2);
    let path = folder.path().join(CHECKPOINTS_FILE);
    let good = std::fs::read(&path).unwrap();
    let second = good.len() / 2;
    for zeros in [second..second + 100, second + 40..good.len(), good.len() - 3..good.len()] {
        let mut bytes = good.clone();
        bytes[zeros].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let len = (good.len() - second) as u64;
        assert_eq!(entries(folder.path())[1..], [Entry::Torn { offset: second as u64, len }]);
    }
}

#[test]
fn a_file_of_rubbish_is_read_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(CHECKPOINTS_FILE), vec![b'x'; 1 << 20]).unwrap();
    let seen = entries(folder.path());
    assert!(seen.iter().all(|entry| !matches!(entry, Entry::Note { .. })));
    assert!(open(folder.path()).last().is_none());
}

#[test]
fn the_first_note_over_a_size_is_found_in_a_long_file() {
    let folder = filled(2_000);
    let notes = open(folder.path());
    for size in [0, 1, 10, 4_995, 9_999, 10_000, 19_990] {
        let found = notes.covering(size).unwrap().unwrap();
        assert_eq!(found.size, size.div_ceil(10) * 10);
    }
    assert!(notes.covering(19_991).unwrap().is_none());
}

#[test]
fn p10_a_jump_of_the_clock_ages_the_log_by_a_day_at_most() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).append(&note(1, 100 * DAY_US, 1_000)).unwrap();
    let aged = |now_us| {
        let elapsed = Duration::from_secs(50);
        let notes = Checkpoints::open(Arc::new(Disk), folder.path(), now_us, elapsed).unwrap();
        notes.elapsed_s(elapsed + Duration::from_secs(7))
    };
    assert_eq!(aged(100 * DAY_US), 1_007);
    assert_eq!(aged(100 * DAY_US + 60_000_000), 1_067);
    assert_eq!(aged(465 * DAY_US), 1_007 + 86_400);
    assert_eq!(aged(100 * DAY_US - 8 * 3_600_000_000), 1_007);
    assert_eq!(aged(i64::MIN), 1_007);
}
