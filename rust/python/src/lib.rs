//! `bigsec._core`: the only crate that knows Python. Conversion, no logic.
//!
//! Batches cross the border, not records: Arrow by PyCapsule both ways, the interpreter's lock
//! released while Rust works.

#![forbid(unsafe_code)]
#![allow(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

use pyo3::prelude::*;

mod arrow;
mod catalogue;
mod daemon;
mod descriptors;
mod error;
mod evidence;
mod explain;
mod indicators;
mod input;
mod ledger;
mod packs;
mod reader;
mod rules;
mod scanner;

/// Python places objects at 16 bytes, whatever their type asks for; beyond that lies a crash.
const fn fits_python<T>() -> bool {
    align_of::<T>() <= 16
}

const _: () = assert!(
    fits_python::<daemon::Daemon>()
        && fits_python::<daemon::LogEvents>()
        && fits_python::<reader::EventReader>()
        && fits_python::<scanner::Scanner>()
        && fits_python::<rules::Rules>()
        && fits_python::<indicators::Indicators>()
);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::arrow::Batch;
    #[pymodule_export]
    use crate::catalogue::{Code, Leaf, codes, schema};
    #[pymodule_export]
    use crate::daemon::{Daemon, DaemonChunk, LogEvents, SourceLedger};
    #[pymodule_export]
    use crate::descriptors::DescriptorStore;
    #[pymodule_export]
    use crate::evidence::{EvidenceLog, approve_deletion, generate_key, rotate_key, verifier_key};
    #[pymodule_export]
    use crate::explain::{explain_record, read_record};
    #[pymodule_export]
    use crate::indicators::Indicators;
    #[pymodule_export]
    use crate::ledger::Ledger;
    #[pymodule_export]
    use crate::packs::Packs;
    #[pymodule_export]
    use crate::reader::EventReader;
    #[pymodule_export]
    use crate::rules::{Rule, Rules};
    #[pymodule_export]
    use crate::scanner::{ScanChunk, Scanner};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python expects")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
