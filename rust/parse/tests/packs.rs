//! The packs of the repository load, and their samples give what stands beside them.

use std::path::Path;
use std::sync::Arc;

use bigsec_parse::PackSet;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs/parsers")
}

#[test]
fn all_packs_load_and_their_samples_hold() {
    let packs = PackSet::load(&folder()).unwrap_or_else(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    });
    let problems = Arc::new(packs).check_samples();
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
