//! Indicators: loading, and looking things up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bigsec_detect::{Hit, IndicatorKind, IndicatorOptions, IndicatorSet};
use bigsec_event::{Problem, codes};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{problems_to_python, raise_problems};
use crate::rules::level;

/// A loaded set of indicators.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Indicators {
    pub set: Arc<IndicatorSet>,
    pub problems: Vec<Problem>,
    repeated: usize,
}

#[pymethods]
impl Indicators {
    #[staticmethod]
    #[pyo3(signature = (*paths, level="medium"))]
    fn load(py: Python<'_>, paths: Vec<PathBuf>, level: &str) -> PyResult<Self> {
        let options = IndicatorOptions { level: self::level(py, level)? };
        let loaded = py.detach(|| IndicatorSet::load(&paths, options));
        if loaded.set.is_empty() {
            let mut problems = loaded.problems;
            problems.insert(0, Problem::new(codes::INDICATOR_NONE, "no indicator could be loaded"));
            return Err(raise_problems(py, &problems, "there is nothing to look for"));
        }
        Ok(Self { set: loaded.set, problems: loaded.problems, repeated: loaded.repeated })
    }

    fn __len__(&self) -> usize {
        self.set.len()
    }

    #[getter]
    fn counts(&self) -> BTreeMap<&'static str, usize> {
        let counts = IndicatorKind::ALL.map(|kind| (kind.as_str(), self.set.count(kind)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    #[getter]
    fn problems<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        problems_to_python(py, &self.problems)
    }

    #[getter]
    fn repeated(&self) -> usize {
        self.repeated
    }

    #[getter]
    fn version(&self) -> &str {
        self.set.version()
    }

    fn find<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let hits = py.detach(|| self.set.matcher().find(text));
        hits.iter().map(|hit| self.told(py, hit)).collect()
    }

    fn __repr__(&self) -> String {
        format!("<bigsec.Indicators {}>", self.__len__())
    }
}

impl Indicators {
    fn told<'py>(&self, py: Python<'py>, hit: &Hit) -> PyResult<Bound<'py, PyDict>> {
        let indicator = self.set.get(hit.indicator);
        let label = indicator.label;
        let until = Some(indicator.valid_until_us).filter(|until| *until < i64::MAX);
        let told = PyDict::new(py);
        told.set_item("id", self.set.head(hit.indicator).id)?;
        told.set_item("type", indicator.kind.as_str())?;
        told.set_item("value", indicator.value)?;
        told.set_item("found", &hit.text)?;
        told.set_item("name", &label.name)?;
        told.set_item("level", label.level.as_str())?;
        told.set_item("source", &label.source)?;
        told.set_item("reference", &label.reference)?;
        told.set_item("valid_until_us", until)?;
        Ok(told)
    }
}
