use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::disk::Disk;
use crate::error::LogError;
use crate::frame::{FRAME_HEADER_BYTES, FrameKind, Salt, put_commit, put_frame, put_record};
use crate::header::{HEADER_BYTES, Header};
use crate::segment::{SegmentInfo, list_segments, segment_name};
use crate::storage::{Storage as _, write_all_at};
use crate::tree::Frontier;

const ID: [u8; 16] = [9; 16];

fn salt() -> Salt {
    Salt::new(&ID)
}

/// Writes a raw segment with these frames after the header.
fn raw(dir: &Path, frames: &[u8]) -> SegmentInfo {
    let header = Header {
        name: "relay-1.example.gov".to_owned(),
        id: ID,
        number: 1,
        time_us: 5,
        key: 0,
        sealed: false,
        anew: false,
        tree: Frontier::new(),
    };
    let path = dir.join(segment_name(1, 0, false));
    let file = Disk.create(&path).unwrap();
    write_all_at(file.as_ref(), &header.encode()[..], 0).unwrap();
    write_all_at(file.as_ref(), frames, HEADER_BYTES as u64).unwrap();
    list_segments(&Disk, dir).unwrap().remove(0)
}

/// Frames of records of these lengths, whose content does not compress to nothing.
fn frames(lengths: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut state = 1_u64;
    let mut tree = Frontier::new();
    for (sequence, len) in lengths.iter().enumerate() {
        let record: Vec<u8> = (0..*len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                b'a' + (state >> 60) as u8
            })
            .collect();
        put_record(&mut out, salt(), sequence as u64, &record);
        tree.push([sequence as u8; 32]);
    }
    put_commit(&mut out, salt(), FrameKind::End, &tree, 7, true);
    out
}

/// Twenty blocks, two groups.
fn long() -> Vec<u8> {
    frames(&[9_000; 290])
}

fn seal(dir: &Path, frames: &[u8], end: u64) -> Sealed {
    seal_segment(&Disk, dir, &raw(dir, frames), end, 1).unwrap()
}

fn content(path: &Path) -> Result<(Vec<u8>, Vec<SealedFinding>), LogError> {
    let file = SealedFile::open(&Disk, path)?;
    let (mut all, mut plain) = (Vec::new(), Vec::new());
    for index in 0..file.blocks() {
        file.block(index, &mut plain)?;
        all.extend_from_slice(&plain);
    }
    Ok((all, file.check()?))
}

#[test]
fn a_sealed_segment_gives_back_the_frames_and_the_raw_file_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let frames = long();
    let sealed = seal(folder.path(), &frames, 290);
    assert!(sealed.segment.bytes < sealed.raw_bytes);
    assert_eq!(Disk.list(folder.path()).unwrap(), std::slice::from_ref(&sealed.segment.path));
    assert_eq!(list_segments(&Disk, folder.path()).unwrap(), std::slice::from_ref(&sealed.segment));
    let (all, findings) = content(&sealed.segment.path).unwrap();
    assert!(all == frames);
    assert_eq!(findings, []);
}

#[test]
fn any_sequence_is_found_by_the_index() {
    let folder = tempfile::tempdir().unwrap();
    // One record of three frames, so that a block begins within it.
    let sealed = seal(folder.path(), &frames(&[100, 700_000, 100, 9_000, 200_000, 5]), 6);
    let file = SealedFile::open(&Disk, &sealed.segment.path).unwrap();
    let mut plain = Vec::new();
    for sequence in 0..6 {
        let index = file.block_of(sequence);
        file.block(index, &mut plain).unwrap();
        let mut next = Vec::new();
        file.block(index + 1, &mut next).unwrap();
        plain.extend_from_slice(&next);
        let begins = crate::frame::Frames::new(&plain, salt()).any(|frame| {
            let frame = frame.unwrap().1;
            frame.sequence == sequence && matches!(frame.kind, FrameKind::Whole | FrameKind::First)
        });
        assert!(begins, "{sequence} does not begin in block {index} or the next");
        assert_eq!(file.block_at(file.plain_offset(index).unwrap()), index);
    }
}

#[test]
fn p5_void_frames_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut good = Vec::new();
    put_frame(&mut good, salt(), 0, FrameKind::Whole, b"kept");
    let mut tree = Frontier::new();
    tree.push([0; 32]);
    put_commit(&mut good, salt(), FrameKind::Commit, &tree, 1, true);
    let mut all = good.clone();
    put_frame(&mut all, salt(), 1, FrameKind::Whole, b"its flush failed");
    tree.push([1; 32]);
    put_commit(&mut all, salt(), FrameKind::Commit, &tree, 1, true);
    let sealed = seal(folder.path(), &all, 1);
    assert!(content(&sealed.segment.path).unwrap().0 == good);
}

#[test]
fn a_damaged_or_torn_raw_segment_stays_as_it_is() {
    for damage in [3, 4, FRAME_HEADER_BYTES + 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = frames(&[50, 60]);
        bytes[damage] ^= 1;
        let segment = raw(folder.path(), &bytes);
        assert!(seal_segment(&Disk, folder.path(), &segment, 2, 1).is_err());
        assert_eq!(Disk.list(folder.path()).unwrap(), [segment.path]);
    }
    let folder = tempfile::tempdir().unwrap();
    let bytes = frames(&[50, 60]);
    let segment = raw(folder.path(), &bytes[..bytes.len() - 1]);
    assert!(seal_segment(&Disk, folder.path(), &segment, 2, 1).is_err());
}

#[test]
fn p3_every_half_way_state_of_sealing_is_taken_up() {
    let frames = frames(&[9_000; 40]);
    let fresh = || {
        let folder = tempfile::tempdir().unwrap();
        let segment = raw(folder.path(), &frames);
        (folder, segment)
    };
    let again = |dir: &Path, segment: &SegmentInfo| {
        let sealed = seal_segment(&Disk, dir, segment, 40, 1).unwrap();
        assert!(content(&sealed.segment.path).unwrap().0 == frames);
        assert_eq!(Disk.list(dir).unwrap(), [sealed.segment.path]);
    };
    // Stopped while the temporary file was being written.
    let (folder, segment) = fresh();
    std::fs::write(folder.path().join("00000001-00000000000000000000.segz.tmp"), b"half").unwrap();
    again(folder.path(), &segment);
    // Stopped before the temporary file took its name.
    let (folder, segment) = fresh();
    prepare(&Disk, folder.path(), &segment, 40, 1).unwrap();
    again(folder.path(), &segment);
    // Stopped before the raw file went.
    let (folder, segment) = fresh();
    let prepared = prepare(&Disk, folder.path(), &segment, 40, 1).unwrap();
    let target = folder.path().join(segment_name(1, 0, true));
    Disk.rename(&prepared.temporary, &target).unwrap();
    assert_eq!(list_segments(&Disk, folder.path()).unwrap(), std::slice::from_ref(&segment));
    again(folder.path(), &segment);
}

#[test]
fn p4_any_flipped_byte_is_made_good_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let frames = frames(&[40_000; 14]);
    let path = seal(folder.path(), &frames, 14).segment.path;
    let good = std::fs::read(&path).unwrap();
    // Every byte of the structures, and a sample of the content between.
    let structure = (0..HEADER_BYTES)
        .step_by(41)
        .chain(HEADER_BYTES..HEADER_BYTES + 40)
        .chain(good.len() - 400..good.len());
    for at in structure.chain((HEADER_BYTES..good.len()).step_by(4_999)) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let (all, findings) = content(&path).unwrap();
        assert!(all == frames, "byte {at}");
        assert_eq!(findings.len(), 1, "byte {at}: {findings:?}");
        assert!(findings[0].what != SealedDamage::Lost);
    }
}

#[test]
fn p4_two_damaged_blocks_of_a_group_cost_those_two() {
    let folder = tempfile::tempdir().unwrap();
    let frames = long();
    let path = seal(folder.path(), &frames, 290).segment.path;
    let file = SealedFile::open(&Disk, &path).unwrap();
    assert_eq!(file.blocks(), 20);
    let mut bytes = std::fs::read(&path).unwrap();
    for index in [3, 7, 18] {
        bytes[file.entries[index].offset as usize + 20] ^= 1;
    }
    std::fs::write(&path, &bytes).unwrap();
    let (all, findings) = content(&path).unwrap();
    let what: Vec<SealedDamage> = findings.iter().map(|finding| finding.what).collect();
    assert_eq!(what, [SealedDamage::Lost, SealedDamage::Lost, SealedDamage::Repaired]);
    assert_eq!(findings[0].first, file.first_sequence(3).unwrap());
    assert_eq!(findings[0].last, file.first_sequence(4).unwrap());
    let lost = |index| {
        (file.plain_offset(index + 1).unwrap() - file.plain_offset(index).unwrap()) as usize
    };
    assert_eq!(all.len(), frames.len() - lost(3) - lost(7));
}

#[test]
fn a_zeroed_page_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let frames = long();
    let path = seal(folder.path(), &frames, 290).segment.path;
    let good = std::fs::read(&path).unwrap();
    let file = SealedFile::open(&Disk, &path).unwrap();
    for index in [0, 15, 19] {
        let mut bytes = good.clone();
        let at = file.entries[index].offset as usize;
        bytes[at..at + 4096].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let (all, findings) = content(&path).unwrap();
        assert!(all == frames);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].what, SealedDamage::Repaired);
    }
}

#[test]
fn a_block_that_claims_to_be_huge_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = seal(folder.path(), &frames(&[500; 10]), 10).segment.path;
    let mut bytes = std::fs::read(&path).unwrap();
    for (at, len) in [(HEADER_BYTES + 4, 4), (HEADER_BYTES + 8, 4)] {
        bytes[at..at + len].fill(0xff);
        let block = HEADER_BYTES + 4;
        let checksum = crc32c::crc32c(&bytes[block..]);
        bytes[HEADER_BYTES..block].copy_from_slice(&checksum.to_le_bytes());
    }
    std::fs::write(&path, &bytes).unwrap();
    let (_, findings) = content(&path).unwrap();
    assert!(!findings.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_records_come_back(lengths in prop::collection::vec(0_usize..60_000, 0..30)) {
        let folder = tempfile::tempdir().unwrap();
        let frames = frames(&lengths);
        let sealed = seal(folder.path(), &frames, lengths.len() as u64);
        let (all, findings) = content(&sealed.segment.path).unwrap();
        prop_assert!(all == frames);
        prop_assert!(findings.is_empty());
    }

    #[test]
    fn hostile_files_never_panic(
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = seal(folder.path(), &frames(&[30_000; 12]), 12).segment.path;
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(HEADER_BYTES + cut.index(bytes.len()));
        std::fs::write(&path, &bytes).unwrap();
        let _ = content(&path);
    }
}
