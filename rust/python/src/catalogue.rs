//! The tables that documentation and contract tests are made from.

use pyo3::prelude::*;

/// One kind of fault.
#[pyclass(frozen, get_all, module = "bigsec._core")]
pub struct Code {
    number: &'static str,
    name: &'static str,
    about: &'static str,
}

/// One leaf of the event schema.
#[pyclass(frozen, get_all, module = "bigsec._core")]
pub struct Leaf {
    path: &'static str,
    r#type: String,
    own: bool,
    about: &'static str,
}

/// Every kind of fault.
#[pyfunction]
pub fn codes() -> Vec<Code> {
    bigsec_event::CODES
        .iter()
        .map(|code| Code { number: code.number, name: code.name, about: code.about })
        .collect()
}

/// Every leaf of the event schema.
#[pyfunction]
pub fn schema() -> Vec<Leaf> {
    bigsec_event::schema::LEAVES
        .iter()
        .map(|leaf| Leaf {
            path: leaf.path,
            r#type: format!("{:?}", leaf.leaf_type).to_lowercase(),
            own: leaf.own,
            about: leaf.about,
        })
        .collect()
}
