//! The only place where a kind of fault becomes a Python exception.

use bigsec_event::{Code, Problem, codes};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

mod python {
    pyo3::import_exception!(bigsec.errors, BigsecError);
    pyo3::import_exception!(bigsec.errors, ConfigError);
    pyo3::import_exception!(bigsec.errors, DaemonError);
    pyo3::import_exception!(bigsec.errors, EvidenceError);
    pyo3::import_exception!(bigsec.errors, FormatError);
    pyo3::import_exception!(bigsec.errors, IndicatorError);
    pyo3::import_exception!(bigsec.errors, InputError);
    pyo3::import_exception!(bigsec.errors, NotFoundError);
    pyo3::import_exception!(bigsec.errors, PackError);
    pyo3::import_exception!(bigsec.errors, RuleError);
    pyo3::import_exception!(bigsec.errors, SchemaError);
    pyo3::import_exception!(bigsec.errors, StreamConsumedError);
}

/// A problem as `bigsec.errors.Problem`.
pub fn problem_to_python<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyAny>> {
    py.import("bigsec.errors")?.getattr("Problem")?.call1((
        problem.code.number,
        problem.code.name,
        &problem.message,
        &problem.place.file,
        problem.place.line,
        problem.place.column,
        problem.place.length,
        &problem.mend,
        &problem.excerpt,
    ))
}

/// Several problems as a list.
pub fn problems_to_python<'py>(
    py: Python<'py>,
    problems: &[Problem],
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    problems.iter().map(|problem| problem_to_python(py, problem)).collect()
}

/// An exception of the class that belongs to `code`.
pub fn raise(py: Python<'_>, code: &Code, message: &str, problems: &[Problem]) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let problems = PyTuple::new(py, problems_to_python(py, problems)?)?;
        let values = (code.number, code.name, message.to_owned(), problems.unbind());
        let group = code.name.split('.').next().unwrap_or_default();
        Ok(match group {
            _ if code == codes::STREAM_CONSUMED => python::StreamConsumedError::new_err(values),
            _ if code == codes::NOT_FOUND => python::NotFoundError::new_err(values),
            "rule" => python::RuleError::new_err(values),
            "indicator" => python::IndicatorError::new_err(values),
            "pack" => python::PackError::new_err(values),
            "event" => python::SchemaError::new_err(values),
            "input" => python::InputError::new_err(values),
            "config" => python::ConfigError::new_err(values),
            "daemon" => python::DaemonError::new_err(values),
            "log" => python::EvidenceError::new_err(values),
            "usage" => python::FormatError::new_err(values),
            _ => python::BigsecError::new_err(values),
        })
    };
    build().unwrap_or_else(|error| error)
}

/// The exception of one problem.
pub fn raise_problem(py: Python<'_>, problem: &Problem) -> PyErr {
    let mut message = problem.message.clone();
    if !problem.mend.is_empty() {
        message = format!("{message} ({})", problem.mend);
    }
    raise(py, problem.code, &message, std::slice::from_ref(problem))
}

/// The exception of several problems found at once.
pub fn raise_problems(py: Python<'_>, problems: &[Problem], summary: &str) -> PyErr {
    match problems.first() {
        Some(first) => {
            let rest = problems.len() - 1;
            let more = if rest > 0 { format!(" (and {rest} more)") } else { String::new() };
            raise(py, first.code, &format!("{summary}: {first}{more}"), problems)
        }
        None => PyRuntimeError::new_err(summary.to_owned()),
    }
}
