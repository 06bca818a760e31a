//! Parser packs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bigsec_event::codes;
use bigsec_parse::PackSet;
use pyo3::prelude::*;

use crate::error::{problems_to_python, raise, raise_problems};

/// A set of parser packs.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Packs(pub Arc<PackSet>);

#[pymethods]
impl Packs {
    #[staticmethod]
    fn load(py: Python<'_>, directory: PathBuf) -> PyResult<Self> {
        py.detach(|| PackSet::load(&directory))
            .map(|packs| Self(Arc::new(packs)))
            .map_err(|problems| raise_problems(py, &problems, "the parser packs cannot be loaded"))
    }

    fn __len__(&self) -> usize {
        self.0.ids().count()
    }

    #[getter]
    fn ids(&self) -> Vec<String> {
        self.0.ids().map(str::to_owned).collect()
    }

    fn check<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let problems = py.detach(|| self.0.check_samples());
        problems_to_python(py, &problems)
    }

    #[getter]
    fn samples(&self) -> usize {
        self.0.iter().map(|pack| pack.samples()).sum()
    }

    fn about(&self, py: Python<'_>, pack_id: &str) -> PyResult<BTreeMap<&'static str, String>> {
        let pack = self.0.get(pack_id).ok_or_else(|| {
            raise(py, codes::NOT_FOUND, &format!("no parser pack has the id {pack_id:?}"), &[])
        })?;
        Ok(BTreeMap::from([
            ("id", pack.id().to_owned()),
            ("title", pack.title().to_owned()),
            ("about", pack.about().to_owned()),
            ("decoder", pack.decoders().join(", ")),
        ]))
    }
}
