//! Any text as a parser pack.
#![no_main]

use bigsec_parse::PackSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = PackSet::read_pack("fuzz.yaml", text);
});
