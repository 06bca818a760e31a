//! A log whose files were changed at random still opens or is refused, gives no record that was
//! not written, and goes on.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use bigsec_evidence::keys::Signer;
use bigsec_evidence::simulator::{SimClock, SimStorage};
use bigsec_evidence::storage::Storage;
use bigsec_evidence::{Flags, LogError, LogOptions, LogReader, LogWriter, Next, Record};
use proptest::prelude::*;

const DIR: &str = "/log";
const NAME: &str = "relay-1.example.gov";

fn open(storage: &SimStorage) -> Result<LogWriter, LogError> {
    let options = LogOptions {
        segment_bytes: 6000,
        new_id: Some([9; 16]),
        signer: Some(Signer::from_seed(NAME, &[1; 32]).unwrap()),
        ..LogOptions::new(NAME)
    };
    let clock = Arc::new(SimClock::new(0));
    Ok(LogWriter::open(Arc::new(storage.clone()), clock, Path::new(DIR), options)?.0)
}

fn append(writer: &mut LogWriter, text: &str) -> u64 {
    writer.append(&Record {
        flags: Flags::default(),
        received_us: 0,
        source: "s",
        peer: None,
        id: None,
        position: None,
        payload: text.as_bytes(),
    })
}

fn machine() -> SimStorage {
    let storage = SimStorage::new(1);
    let mut writer = open(&storage).unwrap();
    for group in 0..24 {
        for _ in 0..=group % 3 {
            let text = format!("old {}", writer.size());
            append(&mut writer, &text);
        }
        writer.commit().unwrap();
        if group % 8 == 7 {
            writer.checkpoint().unwrap();
            writer.roll().unwrap();
        }
    }
    storage
}

#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Zero(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Delete(prop::sample::Index, usize),
    Copy(prop::sample::Index, prop::sample::Index, usize),
    Remove,
}

fn change() -> impl Strategy<Value = Change> {
    use any as a;
    prop_oneof![
        (a::<prop::sample::Index>(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        a::<prop::sample::Index>().prop_map(Change::Truncate),
        (a::<prop::sample::Index>(), 1_usize..5000).prop_map(|(at, len)| Change::Zero(at, len)),
        (a::<prop::sample::Index>(), prop::collection::vec(a::<u8>(), 1..300))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (a::<prop::sample::Index>(), 1_usize..5000).prop_map(|(at, len)| Change::Delete(at, len)),
        (a::<prop::sample::Index>(), a::<prop::sample::Index>(), 1_usize..3000)
            .prop_map(|(from, to, len)| Change::Copy(from, to, len)),
        Just(Change::Remove),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let size = bytes.len();
    let range = |at: &prop::sample::Index, len: usize| {
        let at = at.index(size);
        at..(at + len).min(size)
    };
    match change {
        Change::Flip(at, bits) => bytes[at.index(size)] ^= bits,
        Change::Truncate(at) => bytes.truncate(at.index(size)),
        Change::Zero(at, len) => bytes[range(at, *len)].fill(0),
        Change::Insert(at, new) => {
            let at = at.index(size);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Delete(at, len) => drop(bytes.drain(range(at, *len))),
        Change::Copy(from, to, len) => {
            let copied = bytes[range(from, *len)].to_vec();
            let to = to.index(size);
            bytes.splice(to..to, copied);
        }
        Change::Remove => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn p4_any_change_of_any_files_is_survived(
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let storage = machine();
        let size_before = 48;
        for (file, change) in &changes {
            let files = storage.list(Path::new(DIR)).unwrap();
            let files: Vec<_> = files.iter().filter(|path| storage.stat(path).is_ok_and(|s| s.is_regular)).collect();
            let path = files[file.index(files.len())];
            if matches!(change, Change::Remove) {
                storage.remove(path).unwrap();
            } else {
                storage.tamper(path, |bytes| apply(bytes, change)).unwrap();
            }
        }
        let mut writer = open(&storage).unwrap();
        let begins = writer.size();
        let new = append(&mut writer, "new");
        prop_assert_eq!(writer.commit().unwrap().size, new + 1);
        drop(writer);
        let mut reader = LogReader::open(Arc::new(storage.clone()), Path::new(DIR)).unwrap();
        let end = reader.durable_size().unwrap();
        prop_assert_eq!(end, new + 1);
        let mut cursor = reader.at(0).unwrap();
        let (mut next, mut old) = (0, 0);
        while let Some(found) = cursor.next(end).unwrap() {
            match found {
                Next::Record { sequence, record, .. } => {
                    prop_assert_eq!(sequence, next);
                    let text = std::str::from_utf8(record.payload).unwrap();
                    if sequence == new {
                        prop_assert_eq!(text, "new");
                    } else {
                        prop_assert_eq!(text, format!("old {sequence}"));
                        old += 1;
                    }
                    next += 1;
                }
                Next::Lost { first, end, .. } => {
                    prop_assert_eq!(first, next);
                    prop_assert!(end > first);
                    next = end;
                }
            }
        }
        prop_assert_eq!(next, end);
        prop_assert!(old <= size_before && begins >= old);
        drop(cursor);
        // The second start finds a whole log.
        let writer = open(&storage).unwrap();
        prop_assert_eq!(writer.durable().size, end);
    }
}
