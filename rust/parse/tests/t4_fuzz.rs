//! T4: no input makes a decoder panic. Changed forms of the cases, for a time.

use std::path::{Path, PathBuf};

use bigsec_event::Fields;
use bigsec_parse::decode::DECODERS;

#[path = "support/mutate.rs"]
mod mutate;

/// Records that are taken from one file at most.
const LINES: usize = 50;

/// Lines of all cases.
fn corpus() -> Vec<Vec<u8>> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parse/cases")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the corpus can be read") {
            let path = entry.expect("the corpus can be read").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let lines = |file: &PathBuf| -> Vec<Vec<u8>> {
        let bytes = std::fs::read(file).expect("the corpus can be read");
        bytes.split(|byte| *byte == b'\n').take(LINES).map(<[u8]>::to_vec).collect()
    };
    files.iter().flat_map(lines).filter(|line| !line.is_empty()).collect()
}

#[test]
fn t4_no_decoder_panics() {
    let seeds = corpus();
    for kind in DECODERS {
        let reads = |line: &&Vec<u8>| {
            let text = String::from_utf8_lossy(line);
            (kind.make)().decode(&text, &mut Fields::default()).is_ok()
        };
        // Lines of its own syntax reach further into it than those of all.
        let own: Vec<Vec<u8>> = seeds.iter().filter(reads).cloned().collect();
        let mut decoder = (kind.make)();
        mutate::fuzz(&format!("t4-{}", kind.id), &own, |input| {
            let text = String::from_utf8_lossy(input);
            let _ = decoder.claims(&text);
            let _ = decoder.decode(&text, &mut Fields::default());
        });
    }
}

#[test]
fn t4_a_timestamp_cut_at_each_byte_is_no_fault() {
    for whole in [
        "<34>Oct 11 22:14:15 host app[1]: text",
        "<34>1 2026-10-11T22:14:15.003+08:00 host app 1 ID [a@1 b=\"c\"] text",
        "<34>Oct 11 2026 22:14:15.999999999 host app: text",
    ] {
        for kind in DECODERS {
            for cut in 0..=whole.len() {
                let _ = (kind.make)().decode(&whole[..cut], &mut Fields::default());
            }
        }
    }
}
