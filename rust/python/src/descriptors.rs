//! The service manager's file descriptor store.

use std::os::fd::IntoRawFd;
use std::sync::Arc;

use bigsec_collect::source;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Who holds the daemon's connections beyond its end.
#[pyclass(frozen, module = "bigsec._core")]
pub struct DescriptorStore(pub Arc<source::DescriptorStore>);

#[pymethods]
impl DescriptorStore {
    #[new]
    fn new(address: &str) -> PyResult<Self> {
        Ok(Self(Arc::new(source::DescriptorStore::connect(address)?)))
    }

    /// Takes over `count` sockets that `send` sends to the descriptor it is given.
    fn inherit(&self, py: Python<'_>, count: usize, send: &Bound<'_, PyAny>) -> PyResult<()> {
        let send = send.clone().unbind();
        let mut outcome = Ok(());
        py.detach(|| {
            self.0.inherit(count, |way| {
                let way = way.into_raw_fd();
                outcome = Python::attach(|py| send.call1(py, (way,)).map(drop));
            })
        })
        .map_err(|error| PyOSError::new_err(error.to_string()))?;
        outcome
    }
}
