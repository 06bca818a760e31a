//! What several tests need: the packs of the repository, and data that lies beside it.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_event::Kind;
use bigsec_parse::{Outcome, PackSet, ParseOptions, Parsed, Parser};

/// 2026-01-10T00:00:00Z.
pub const RECEIVED_US: i64 = 1_768_003_200_000_000;

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The packs of the repository.
pub fn packs() -> Arc<PackSet> {
    let folder = repository().join("python/bigsec/packs/parsers");
    Arc::new(PackSet::load(&folder).unwrap_or_else(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    }))
}

pub fn parser(packs: &Arc<PackSet>) -> Parser {
    parser_of(packs, None)
}

pub fn parser_of(packs: &Arc<PackSet>, format: Option<&str>) -> Parser {
    let options = ParseOptions::new(format.map(str::to_owned), "UTC").unwrap();
    Parser::new(Arc::clone(packs), options).unwrap()
}

/// Parses one record with a parser of its own.
pub fn parse_one(packs: &Arc<PackSet>, raw: &[u8]) -> (Outcome, Parsed) {
    let mut parsed = Parsed::new();
    let outcome = parser(packs).parse(raw, RECEIVED_US, &mut parsed);
    (outcome, parsed)
}

/// The fields as (name, text, kind), in their order.
pub fn fields(parsed: &Parsed) -> Vec<(String, String, Kind)> {
    let owned = |(name, value): (&str, bigsec_event::Value<'_>)| {
        (name.to_owned(), value.text.to_owned(), value.kind)
    };
    parsed.record.iter().map(owned).collect()
}

/// A file of the data beside the repository; none, and said so, where it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("BIGSEC_SHARED_DATA")
        .map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let path = folder.join(path);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("BIGSEC_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "{} is absent and BIGSEC_REQUIRE_ALL=1", path.display());
    eprintln!("skipped: {} is not there (BIGSEC_SHARED_DATA names the folder)", path.display());
    None
}

/// The decompressed text of a file of the data.
pub fn shared_text(path: &str) -> Option<String> {
    let bytes = std::fs::read(shared(path)?).unwrap();
    let bytes = zstd::decode_all(&bytes[..]).unwrap();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
