//! The account of one input.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use crate::error::problems_to_python;

/// What became of the records of one input.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Ledger(pub bigsec_collect::Ledger);

#[pymethods]
impl Ledger {
    #[getter]
    fn path(&self) -> &str {
        &self.0.path
    }

    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    #[getter]
    fn parsed(&self) -> u64 {
        self.0.parsed
    }

    #[getter]
    fn unparsed(&self) -> u64 {
        self.0.unparsed
    }

    #[getter]
    fn quarantined(&self) -> u64 {
        self.0.quarantined
    }

    #[getter]
    fn events(&self) -> u64 {
        self.0.events
    }

    #[getter]
    fn parsers(&self) -> BTreeMap<String, u64> {
        self.0.parsers.iter().map(|(parser, count)| (parser.to_string(), *count)).collect()
    }

    #[getter]
    fn reasons(&self) -> BTreeMap<&'static str, u64> {
        self.0.reasons.clone()
    }

    #[getter]
    fn problems<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        problems_to_python(py, &self.0.problems)
    }

    #[getter]
    fn duplicate_of(&self) -> Option<&str> {
        self.0.duplicate_of.as_deref()
    }

    fn __repr__(&self) -> String {
        let ledger = &self.0;
        format!(
            "<Ledger {:?}: {} received = {} parsed + {} unparsed + {} quarantined>",
            ledger.path, ledger.received, ledger.parsed, ledger.unparsed, ledger.quarantined
        )
    }
}
