use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::{Kept, Rig, until};

fn settings(folder: &TempDir, pattern: &str) -> Value {
    json!({
        "type": "file", "paths": [folder.path().join(pattern)], "exclude": [],
        "start_at": "beginning", "compressed": true, "multiline_start": null,
        "multiline_lines_max": 100, "multiline_wait_ms": 300, "poll_ms": 10,
        "record_bytes_max": 1_048_576, "files_open_max": 64,
    })
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn texts(kept: &[Kept]) -> Vec<&str> {
    kept.iter().map(|kept| kept.text.as_str()).collect()
}

/// How far the log has the files, as the daemon reads it from there.
fn positions(kept: &[Kept]) -> HashMap<u64, u64> {
    kept.iter().filter_map(|kept| kept.position).map(|place| (place.file, place.end)).collect()
}

fn gzip(from: &Path, to: &Path) {
    let mut encoder =
        flate2::write::GzEncoder::new(File::create(to).unwrap(), flate2::Compression::fast());
    encoder.write_all(&fs::read(from).unwrap()).unwrap();
    encoder.finish().unwrap();
    fs::remove_file(from).unwrap();
}

#[test]
fn a_file_is_followed_line_by_line() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    let path = folder.path().join("a.log");
    append(&path, "one\ntwo\r\nthr");
    let running = rig.start(settings(&folder, "*.log"));
    assert_eq!(texts(&rig.wait_for(2)), ["one", "two"]);
    append(&path, "ee\n\nfour\n");
    let kept = rig.wait_for(4);
    assert_eq!(texts(&kept), ["one", "two", "three", "four"]);
    assert_eq!(kept[3].position.unwrap().end, fs::metadata(&path).unwrap().len());
    append(&folder.path().join("b.log"), "other\n");
    append(&folder.path().join("c.txt"), "not asked for\n");
    assert_eq!(rig.wait_for(5)[4].text, "other");
    assert_ne!(rig.kept()[4].position.unwrap().file, kept[0].position.unwrap().file);
    rig.stop(running);
}

#[test]
fn rotation_by_rename_loses_and_repeats_nothing() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    let path = folder.path().join("app.log");
    let running = rig.start(settings(&folder, "app.log"));
    let mut count = 0;
    for round in 0..5 {
        let mut file = File::create(&path).unwrap();
        for _ in 0..50 {
            writeln!(file, "line {count}").unwrap();
            count += 1;
        }
        until("the file to be met", || rig.count() > count - 50);
        fs::rename(&path, folder.path().join(format!("app.log.{round}"))).unwrap();
        // The writer still has it open, and writes a last line without a line end.
        writeln!(file, "line {count}").unwrap();
        write!(file, "line {}", count + 1).unwrap();
        count += 2;
    }
    let mut lines: Vec<u32> = rig
        .wait_for(count)
        .iter()
        .map(|kept| kept.text.strip_prefix("line ").unwrap().parse().unwrap())
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, (0..count as u32).collect::<Vec<_>>());
    rig.stop(running);
}

#[test]
fn rotation_by_copy_and_truncate_loses_and_repeats_nothing() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    let path = folder.path().join("app.log");
    let running = rig.start(settings(&folder, "app.log*"));
    let mut count = 0;
    for round in 0..4 {
        // Each file begins alike.
        append(&path, "# header\n");
        count += 1;
        for line in 0..100 {
            append(&path, &format!("round {round} line {line}\n"));
            count += 1;
        }
        until("the lines", || rig.count() == count);
        fs::copy(&path, folder.path().join(format!("app.log.{round}"))).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    }
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    rig.wait_for(count);
    rig.stop(running);
}

#[test]
fn p1_a_restart_goes_on_after_the_last_durable_record() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("app.log");
    let (mut kept, mut count) = (Vec::new(), 0);
    for round in 0..6 {
        let rig = Rig::new();
        let running = rig.start_after(settings(&folder, "app.log*"), positions(&kept));
        for _ in 0..40 {
            append(&path, &format!("line {count}\n"));
            count += 1;
        }
        until("the lines", || kept.len() + rig.count() == count);
        rig.stop(running);
        kept.extend(rig.kept());
        // While it is down, the log is written to, rotated, compressed.
        append(&path, &format!("line {count}\nline {}\n", count + 1));
        count += 2;
        if round % 2 == 1 {
            let old = folder.path().join(format!("app.log.{round}"));
            fs::rename(&path, &old).unwrap();
            if round == 3 {
                gzip(&old, &folder.path().join("app.log.3.gz"));
            }
        }
    }
    let rig = Rig::new();
    let running = rig.start_after(settings(&folder, "app.log*"), positions(&kept));
    until("the last lines", || kept.len() + rig.count() == count);
    rig.stop(running);
    kept.extend(rig.kept());
    let mut lines: Vec<u32> =
        kept.iter().map(|kept| kept.text.strip_prefix("line ").unwrap().parse().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, (0..count as u32).collect::<Vec<_>>());
}

#[test]
fn p1_a_file_rotated_while_nobody_looked_is_read_to_its_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("app.log");
    append(&path, "line 0\nline 1\n");
    append(&folder.path().join("app.log.9"), "older than the first start\n");
    let rig = Rig::new();
    let running = rig.start(settings(&folder, "app.log"));
    let kept = rig.wait_for(2);
    rig.stop(running);
    append(&path, "line 2\n");
    fs::rename(&path, folder.path().join("app.log.1")).unwrap();
    append(&path, "line 3\n");
    let again = Rig::new();
    let running = again.start_after(settings(&folder, "app.log"), positions(&kept));
    let texts: Vec<_> = again.wait_for(2).into_iter().map(|kept| kept.text).collect();
    again.stop(running);
    // What the pattern does not name and nobody followed is left alone.
    assert_eq!(texts, ["line 2", "line 3"]);
    assert_eq!(again.count(), 2);
}

#[test]
fn p1_what_was_not_durable_is_read_again() {
    let folder = TempDir::new().unwrap();
    append(&folder.path().join("a.log"), "one\ntwo\nthree\nfour\n");
    let rig = Rig::new();
    let running = rig.start(settings(&folder, "a.log"));
    let kept = rig.wait_for(4);
    rig.stop(running);
    let again = Rig::new();
    let running = again.start_after(settings(&folder, "a.log"), positions(&kept[..2]));
    assert_eq!(texts(&again.wait_for(2)), ["three", "four"]);
    again.stop(running);
}

#[test]
fn compressed_history_is_read_once() {
    let folder = TempDir::new().unwrap();
    let lines: String = (0..20_000).map(|number| format!("history {number}\n")).collect();
    let name = |name: &str| folder.path().join(name);
    fs::write(name("a.plain"), &lines).unwrap();
    gzip(&name("a.plain"), &name("a.log.1.gz"));
    let other = lines.replace("history", "other");
    fs::write(name("a.log.2.zst"), zstd::encode_all(other.as_bytes(), 3).unwrap()).unwrap();
    let third = "third one\nwithout a line end";
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(third.as_bytes()).unwrap();
    fs::write(name("a.log.3.xz"), xz.finish().unwrap()).unwrap();
    let rig = Rig::new();
    let running = rig.start(settings(&folder, "a.log*"));
    let kept = rig.wait_for(40_002);
    assert!(texts(&kept).contains(&"without a line end"));
    rig.stop(running);
    let again = Rig::new();
    let running = again.start_after(settings(&folder, "a.log*"), positions(&kept));
    append(&name("a.log"), "new\n");
    until("the new line", || again.count() > 0);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(again.texts(), ["new"]);
    again.stop(running);
}

#[test]
fn t6_a_compressed_bomb_and_a_broken_file_harm_nobody() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("broken.gz"), b"\x1f\x8b\x08\0garbage that is none").unwrap();
    append(&folder.path().join("good.log"), "good\n");
    let rig = Rig::new();
    let running = rig.start(settings(&folder, "*"));
    rig.wait_for(1);
    until("the broken one to be counted", || rig.reading().errors == 1);
    append(&folder.path().join("good.log"), "still good\n");
    rig.wait_for(2);
    rig.stop(running);
    assert_eq!(rig.reading().errors, 1);
}

#[test]
fn t5_more_files_than_may_be_open_are_read_by_turns() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    let mut settings = settings(&folder, "*.log");
    settings["files_open_max"] = 3.into();
    let running = rig.start(settings);
    for round in 0..4 {
        for file in 0..20 {
            let path = folder.path().join(format!("{file}.log"));
            append(&path, &format!("# the same header\nfile {file} round {round}\n"));
        }
        let kept = rig.wait_for(40 * (round + 1));
        let distinct: std::collections::HashSet<_> = texts(&kept).into_iter().collect();
        assert_eq!(distinct.len(), 20 * (round + 1) + 1);
        assert!(rig.reading().connections <= 3);
    }
    rig.stop(running);
}

#[test]
fn records_of_several_lines_are_joined() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    let mut settings = settings(&folder, "a.log");
    settings["multiline_start"] = r"^\d{4}-\d\d-\d\d ".into();
    let running = rig.start(settings);
    let path = folder.path().join("a.log");
    append(&path, "2026-11-25 error\n  at one\n");
    append(&path, "  at two\n2026-11-25 next\n");
    let kept = rig.wait_for(2);
    assert_eq!(texts(&kept), ["2026-11-25 error\n  at one\n  at two", "2026-11-25 next"]);
    assert_eq!(kept[1].position.unwrap().end, fs::metadata(&path).unwrap().len());
    rig.stop(running);
}

#[test]
fn an_end_start_takes_only_what_is_new() {
    let (rig, folder) = (Rig::new(), TempDir::new().unwrap());
    append(&folder.path().join("a.log"), "old\nhalf");
    let mut settings = settings(&folder, "*.log");
    settings["start_at"] = "end".into();
    let running = rig.start(settings);
    until("the file to be met", || rig.reading().accepted == 1);
    append(&folder.path().join("a.log"), " a line\n");
    append(&folder.path().join("b.log"), "new file\n");
    let kept = rig.wait_for(2);
    assert_eq!(texts(&kept), ["half a line", "new file"]);
    rig.stop(running);
}
