//! Any text searched for indicators; what is found stands in it.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use bigsec_detect::{IndicatorOptions, IndicatorSet};
use libfuzzer_sys::fuzz_target;

static SET: LazyLock<Arc<IndicatorSet>> = LazyLock::new(|| {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../detect/cases/indicators");
    let files = ["list.txt", "table.csv"].map(|name| cases.join(name));
    IndicatorSet::load(&files, IndicatorOptions::default()).set
});

fuzz_target!(|text: &str| {
    let mut matcher = SET.matcher();
    for hit in matcher.find(text) {
        assert!(text.contains(&hit.text));
    }
});
