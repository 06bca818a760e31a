//! T1: somebody with root on the machine changes the past. Each of the twelve kinds is found, and
//! placed; what the log cannot know of itself, a checkpoint from outside tells.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::path::Path;

use bigsec_evidence::note::Note;
use bigsec_evidence::verify::{Kind, Severity};
use forge::log::{
    Log, NAME, TestClock, append, assert_clean, assert_found, inside, keys, list, look, open,
    options, outside, signer,
};
use forge::{Frame, Segment, raw_segments, sealed_segments};
use tempfile::TempDir;

const TAMPER: Severity = Severity::Tamper;

/// The first raw segment after the sealed ones, with a record in its middle.
fn victim(dir: &Path) -> (Segment, u64) {
    let segment = Segment::read(&raw_segments(dir)[0]);
    let middle = segment.first() + 40;
    (segment, middle)
}

#[test]
fn t1_an_untouched_log_raises_nothing() {
    let log = Log::make();
    assert_eq!(sealed_segments(&log.dir()).len(), 2);
    assert!(raw_segments(&log.dir()).len() >= 4);
    let report = outside(&log.dir(), &log.notes);
    assert_clean(&report);
    assert_eq!((report.records, report.size, report.checkpoint), (1005, 1005, Some(1000)));
    assert_eq!(report.caught_from, Some(1000));
    assert_eq!(inside(&log.dir()).caught_from, None);
}

#[test]
fn t1_01_a_flipped_byte() {
    let log = Log::make();
    let dir = log.copy("plain");
    let (segment, record) = victim(&dir);
    let at = segment.offsets()[segment.index_of(record)] + 40;
    let mut bytes = segment.encode();
    bytes[at] ^= 0x20;
    std::fs::write(&segment.path, bytes).unwrap();
    let number = Some(segment.number());
    assert_found(&inside(&dir), Severity::Damage, Kind::Record, number, record..record + 1);

    // With the checksum mended, the root of the group tells.
    let dir = log.copy("mended");
    let (mut segment, record) = victim(&dir);
    let index = segment.index_of(record);
    segment.frames[index].body[30] ^= 0x20;
    segment.write();
    let report = inside(&dir);
    assert_found(&report, TAMPER, Kind::Root, number, record..record + 1);
    let finding = report.findings.iter().find(|finding| finding.kind == Kind::Root).unwrap();
    assert!(finding.end - finding.first <= 10, "placed to its group: {finding}");

    // With all roots of the segment mended, the next segment tells.
    segment.rebuild();
    segment.write();
    assert_found(&inside(&dir), TAMPER, Kind::Chain, number, record..record + 1);
}

#[test]
fn t1_02_a_deleted_record_and_a_deleted_segment() {
    let log = Log::make();
    let dir = log.copy("record");
    let (mut segment, record) = victim(&dir);
    segment.frames.remove(segment.index_of(record));
    segment.write();
    let number = Some(segment.number());
    assert_found(&inside(&dir), TAMPER, Kind::Missing, number, record..record + 1);
    segment.rebuild();
    segment.write();
    assert!(!inside(&dir).ok);

    let dir = log.copy("segment");
    let paths = raw_segments(&dir);
    let (gone, next) = (Segment::read(&paths[1]), Segment::read(&paths[2]));
    std::fs::remove_file(&paths[1]).unwrap();
    let before = Some(gone.number() - 1);
    assert_found(&inside(&dir), TAMPER, Kind::SegmentMissing, before, gone.first()..next.first());

    let dir = log.copy("first");
    std::fs::remove_file(&sealed_segments(&dir)[0]).unwrap();
    let second = Segment::read(&raw_segments(&dir)[0]).number() - 1;
    assert_found(&inside(&dir), TAMPER, Kind::SegmentMissing, Some(second), 0..1);
}

#[test]
fn t1_03_an_inserted_record() {
    let log = Log::make();
    let dir = log.copy("tampered");
    let (mut segment, record) = victim(&dir);
    let index = segment.index_of(record);
    let mut forged = segment.frames[index].clone();
    *forged.body.last_mut().unwrap() ^= 1;
    segment.frames.insert(index, forged);
    segment.write();
    let number = Some(segment.number());
    assert_found(&inside(&dir), TAMPER, Kind::Repeated, number, record..record + 1);
    // Renumbered and rooted anew, it reaches into the next segment.
    segment.rebuild();
    segment.write();
    let report = inside(&dir);
    assert!(report.count(TAMPER) > 0, "{}", list(&report));
    assert!(report.findings.iter().any(|finding| finding.segment == number));
}

#[test]
fn t1_04_reordered_records() {
    let log = Log::make();
    let dir = log.copy("frames");
    let (mut segment, record) = victim(&dir);
    let index = segment.index_of(record);
    segment.frames.swap(index, index + 1);
    segment.write();
    let number = Some(segment.number());
    assert_found(&inside(&dir), TAMPER, Kind::Repeated, number, record..record + 1);

    let dir = log.copy("bodies");
    let (mut segment, record) = victim(&dir);
    let index = segment.index_of(record);
    let body = segment.frames[index].body.clone();
    segment.frames[index].body = segment.frames[index + 1].body.clone();
    segment.frames[index + 1].body = body;
    segment.write();
    assert_found(&inside(&dir), TAMPER, Kind::Root, number, record..record + 2);
}

#[test]
fn t1_05_a_duplicated_record_and_segment() {
    let log = Log::make();
    let dir = log.copy("record");
    let (mut segment, record) = victim(&dir);
    let index = segment.index_of(record);
    segment.frames.insert(index, segment.frames[index].clone());
    segment.write();
    let number = Some(segment.number());
    assert_found(&inside(&dir), TAMPER, Kind::Repeated, number, record..record + 1);

    let dir = log.copy("segment");
    let paths = raw_segments(&dir);
    let last = Segment::read(&paths[paths.len() - 1]);
    let name = format!("{:08}-{:020}.seg", last.number() + 1, 1005);
    std::fs::copy(&paths[1], dir.join(name)).unwrap();
    let report = inside(&dir);
    assert_found(&report, TAMPER, Kind::Chain, Some(last.number() + 1), 1005..1005);
}

/// Cuts the log back to what it was at a note, so that nothing in the folder tells of more.
fn cut_to(dir: &Path, note: &Note) {
    for path in raw_segments(dir) {
        let mut segment = Segment::read(&path);
        if segment.first() >= note.size {
            std::fs::remove_file(&path).unwrap();
            continue;
        }
        let kept = |frame: &Frame| frame.sequence <= note.size && frame.kind != forge::END;
        let end = segment
            .frames
            .iter()
            .rposition(|frame| frame.kind == forge::COMMIT && frame.sequence == note.size);
        if let Some(end) = end {
            segment.frames.truncate(end + 1);
            segment.frames.retain(kept);
            segment.write();
        }
    }
    let path = dir.join("checkpoints");
    let text = std::fs::read_to_string(&path).unwrap();
    let end = text.find(&note.encode()).unwrap() + note.encode().len() + 1;
    std::fs::write(&path, &text[..end]).unwrap();
    std::fs::remove_file(dir.join("watermark")).unwrap();
}

#[test]
fn t1_06_truncated_to_an_earlier_checkpoint_and_gone_on() {
    let log = Log::make();
    let dir = log.copy("tampered");
    let note = &log.notes[15];
    assert_eq!(note.size, 800);
    cut_to(&dir, note);
    let clock = TestClock::new();
    let mut writer = open(&dir, options(16 << 10, 1), &clock);
    assert_eq!(writer.size(), 800);
    append(&mut writer, &clock, 805..1300);
    drop(writer);
    let report = inside(&dir);
    assert!(report.ok, "whoever holds the key can do this:\n{}", list(&report));
    let report = outside(&dir, &log.notes);
    let at = report.findings.iter().find(|finding| finding.kind == Kind::Rewritten).unwrap();
    assert_eq!((at.first, at.end), (800, 850), "{at}");
    assert!(at.segment.is_some() && at.severity == TAMPER);
    assert_eq!(report.caught_from, Some(800));
}

#[test]
fn t1_07_resealed_with_the_present_key() {
    let log = Log::make();
    let dir = log.copy("tampered");
    let (segment, record) = victim(&dir);
    let number = segment.number();
    let mut tree: Option<Vec<[u8; 32]>> = None;
    let mut roots = std::collections::BTreeMap::new();
    for path in raw_segments(&dir) {
        let mut segment = Segment::read(&path);
        if let Some(peaks) = &tree {
            segment.set_peaks(peaks);
        } else {
            let index = segment.index_of(record);
            segment.frames[index].body[30] ^= 1;
        }
        tree = Some(segment.rebuild());
        for frame in &segment.frames {
            if frame.kind == forge::COMMIT {
                let root: [u8; 32] = frame.body[..32].try_into().unwrap();
                roots.insert(frame.sequence, root);
            }
        }
        segment.write();
    }
    let mut text = String::new();
    for note in &log.notes {
        let mut note = note.clone();
        if note.size > record {
            note.root = roots[&note.size];
            note.sign(&[&signer(1)]);
        }
        text += &(note.encode() + "\n");
    }
    std::fs::write(dir.join("checkpoints"), text).unwrap();
    std::fs::remove_file(dir.join("watermark")).unwrap();
    let report = inside(&dir);
    assert_eq!(report.count(TAMPER), 0, "whoever holds the key can do this:\n{}", list(&report));
    let report = outside(&dir, &log.notes);
    let at = report.findings.iter().find(|finding| finding.kind == Kind::Rewritten).unwrap();
    assert!(at.first <= record && record < at.end && at.end - at.first <= 50, "{at}");
    assert_eq!(at.segment, Some(number));
}

#[test]
fn t1_08_an_unsealed_segment_put_in_place() {
    let log = Log::make();
    let raw = TempDir::new().unwrap();
    let clock = TestClock::new();
    let mut writer = open(raw.path(), options(16 << 10, 1), &clock);
    append(&mut writer, &clock, 0..1005);
    let mut segment = Segment::read(&raw_segments(raw.path())[0]);
    let index = segment.index_of(7);
    segment.frames[index].body[30] ^= 1;
    segment.rebuild();

    let dir = log.copy("beside");
    segment.path = dir.join(segment.path.file_name().unwrap());
    segment.write();
    assert_found(&inside(&dir), TAMPER, Kind::CopiesDiffer, Some(segment.number()), 7..8);
    let dir = log.copy("instead");
    std::fs::remove_file(&sealed_segments(&dir)[0]).unwrap();
    segment.path = dir.join(segment.path.file_name().unwrap());
    segment.write();
    assert_found(&inside(&dir), TAMPER, Kind::Chain, Some(segment.number()), 7..8);
}

#[test]
fn t1_09_a_segment_of_another_log() {
    let log = Log::make();
    let other = TempDir::new().unwrap();
    let clock = TestClock::new();
    let mut writer = open(other.path(), options(16 << 10, 2), &clock);
    append(&mut writer, &clock, 0..1005);
    let foreign = Segment::read(&raw_segments(other.path())[3]);
    let dir = log.copy("tampered");
    let name = foreign.path.file_name().unwrap();
    assert!(dir.join(name).exists(), "the same name in both logs");
    std::fs::copy(&foreign.path, dir.join(name)).unwrap();
    let report = inside(&dir);
    assert_found(&report, TAMPER, Kind::OtherLog, Some(foreign.number()), 480..640);
}

#[test]
fn t1_10_an_older_snapshot_of_the_whole_store() {
    let folder = TempDir::new().unwrap();
    let (dir, old) = (folder.path().join("log"), folder.path().join("old"));
    let clock = TestClock::new();
    let mut writer = open(&dir, options(16 << 10, 1), &clock);
    append(&mut writer, &clock, 0..600);
    forge::copy_folder(&dir, &old);
    let notes = append(&mut writer, &clock, 600..1000);
    assert_clean(&inside(&old));
    let report = outside(&old, &notes[notes.len() - 1..]);
    assert_found(&report, TAMPER, Kind::RolledBack, None, 600..1000);
    assert_found(&report, TAMPER, Kind::CheckpointMissing, None, 1000..1000);
}

#[test]
fn t1_11_a_wrong_key() {
    let log = Log::make();
    let report = look(&log.dir(), keys(2), Vec::new());
    assert_found(&report, TAMPER, Kind::WrongKey, None, 0..0);
    assert_found(&report, TAMPER, Kind::WrongKey, Some(1), 0..0);

    let dir = log.copy("tampered");
    let text: String = log
        .notes
        .iter()
        .map(|note| {
            let mut note = note.clone();
            if note.size == 500 {
                note.sign(&[&signer(2)]);
            }
            note.encode() + "\n"
        })
        .collect();
    std::fs::write(dir.join("checkpoints"), text).unwrap();
    assert_found(&inside(&dir), TAMPER, Kind::WrongKey, None, 500..500);
    // A text under a signature that was made for another.
    let path = dir.join("checkpoints");
    let text = std::fs::read_to_string(log.dir().join("checkpoints")).unwrap();
    let changed = text.replacen(&format!("{NAME}\n500\n"), &format!("{NAME}\n501\n"), 1);
    std::fs::write(&path, changed).unwrap();
    assert_found(&inside(&dir), TAMPER, Kind::Signature, None, 501..501);
}

#[test]
fn t1_12_a_dropped_checkpoint() {
    let log = Log::make();
    let dir = log.copy("one");
    let path = dir.join("checkpoints");
    let text = std::fs::read_to_string(&path).unwrap();
    let at = text.find(&log.notes[9].encode()).unwrap();
    std::fs::write(&path, text.replace(&(log.notes[9].encode() + "\n"), "")).unwrap();
    let report = outside(&dir, &log.notes);
    assert_found(&report, TAMPER, Kind::CheckpointMissing, None, 500..500);
    assert_eq!(report.findings[0].offset, Some(at as u64), "placed where it stood");

    let dir = log.copy("all");
    std::fs::remove_file(dir.join("checkpoints")).unwrap();
    assert_found(&inside(&dir), TAMPER, Kind::CheckpointMissing, None, 0..0);
}
