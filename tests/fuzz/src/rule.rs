//! Any text as a file of Sigma rules, and the rules that load over an event.
#![no_main]

use bigsec_detect::{LoadOptions, RuleSet};
use bigsec_event::{Kind, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let loaded = RuleSet::from_texts(&[("fuzz.yml", text)], &LoadOptions::default());
    let mut record = Record::new();
    record.reset(text);
    for (name, value) in [("CommandLine", text), ("Image", r"C:\Windows\cmd.exe"), ("id", "7")] {
        record.push(name, value, Kind::String);
    }
    let mut matcher = loaded.rules.matcher();
    let (mut fast, mut plain) = (Vec::new(), Vec::new());
    matcher.matches(&record, &mut fast);
    matcher.matches_plainly(&record, &mut plain);
    assert_eq!(fast, plain);
});
