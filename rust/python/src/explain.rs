//! Looking at single records.

use std::path::PathBuf;
use std::sync::Arc;

use bigsec_collect::clock::{Clock, SystemClock};
use bigsec_event::Kind;
use bigsec_parse::{Outcome, ParseOptions, Parser};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::raise_problem;
use crate::packs::Packs;

/// Which pack reads a record and why, field by field.
#[pyfunction]
#[pyo3(signature = (raw, packs, *, format=None, timezone="UTC", received_us=None))]
pub fn explain_record<'py>(
    py: Python<'py>,
    raw: &[u8],
    packs: &Packs,
    format: Option<String>,
    timezone: &str,
    received_us: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let received_us = received_us.unwrap_or_else(|| SystemClock.now_us());
    let parser = ParseOptions::new(format, timezone)
        .and_then(|options| Parser::new(Arc::clone(&packs.0), options));
    let explanation =
        parser.map_err(|problem| raise_problem(py, &problem))?.explain(raw, received_us);
    let fields = PyList::empty(py);
    for field in &explanation.fields {
        let row = PyDict::new(py);
        row.set_item("source", &field.source_name)?;
        row.set_item("name", &field.name)?;
        row.set_item("value", &field.value)?;
        row.set_item("kind", kind_name(field.kind))?;
        row.set_item("column", field.column)?;
        fields.append(row)?;
    }
    let derived = PyDict::new(py);
    for (column, text) in &explanation.derived {
        derived.set_item(column, text)?;
    }
    let (outcome, reason) = match explanation.outcome {
        Outcome::Event => ("event", None),
        Outcome::Directive => ("directive", None),
        Outcome::Unparsed(code) => ("unparsed", Some(code.number)),
    };
    let result = PyDict::new(py);
    result.set_item("outcome", outcome)?;
    result.set_item("parser", &explanation.pack)?;
    result.set_item("decoder", explanation.decoder)?;
    result.set_item("reason", reason)?;
    result.set_item("why", &explanation.why)?;
    result.set_item("time_us", explanation.time_us)?;
    result.set_item("fields", fields)?;
    result.set_item("derived", derived)?;
    Ok(result)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::String => "string",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::EmptyList => "empty_list",
        Kind::EmptyObject => "empty_object",
    }
}

/// The raw bytes of the record at an offset of the decompressed file, without its line end.
#[pyfunction]
pub fn read_record(
    py: Python<'_>,
    path: PathBuf,
    position: u64,
) -> PyResult<Option<Bound<'_, PyBytes>>> {
    let bytes = py.detach(|| bigsec_collect::read_record(&path, position))?;
    Ok(bytes.map(|bytes| PyBytes::new(py, &bytes)))
}
