//! What Python may give to be read: paths, named bytes, named file objects or iterables of lines.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bigsec_collect::{FeedOptions, FileBook, Input};
use bigsec_parse::ParseOptions;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator};

use crate::error::raise_problem;

/// Where an exception of the caller's own iterable waits until it can be raised.
pub type Raised = Arc<Mutex<Option<PyErr>>>;

/// Reads an iterable of lines of bytes as a stream.
struct Iterated {
    lines: Py<PyIterator>,
    pending: Vec<u8>,
    given: usize,
    raised: Raised,
}

impl Read for Iterated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.pending.len() && !self.advance()? {
            return Ok(0);
        }
        let length = buffer.len().min(self.pending.len() - self.given);
        buffer[..length].copy_from_slice(&self.pending[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

impl Iterated {
    /// Takes lines until there is about a read's worth of them; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        const ENOUGH: usize = 256 * 1024;
        self.pending.clear();
        self.given = 0;
        let outcome = Python::attach(|py| -> PyResult<()> {
            let mut lines = self.lines.bind(py).clone();
            while self.pending.len() < ENOUGH {
                let Some(line) = lines.next() else { break };
                let line = line?;
                let bytes = line.cast::<PyBytes>()?.as_bytes();
                self.pending.extend_from_slice(bytes);
                if !bytes.ends_with(b"\n") {
                    self.pending.push(b'\n');
                }
            }
            Ok(())
        });
        outcome.map_err(|error| keep(&self.raised, error))?;
        Ok(!self.pending.is_empty())
    }
}

/// Reads an object with a `read` method, such as a file opened in binary mode: its bytes as they
/// are, compressed or not.
struct FileObject {
    object: Py<PyAny>,
    raised: Raised,
}

impl Read for FileObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = Python::attach(|py| -> PyResult<usize> {
            let read = self.object.bind(py).call_method1("read", (buffer.len(),))?;
            let bytes = read.cast::<PyBytes>()?.as_bytes();
            let target = buffer
                .get_mut(..bytes.len())
                .ok_or_else(|| PyValueError::new_err("read(size) gave more than size bytes"))?;
            target.copy_from_slice(bytes);
            Ok(bytes.len())
        });
        outcome.map_err(|error| keep(&self.raised, error))
    }
}

/// Keeps an exception until it can be raised, and stops the reading.
fn keep(raised: &Raised, error: PyErr) -> io::Error {
    let text = error.to_string();
    if let Ok(mut raised) = raised.lock() {
        *raised = Some(error);
    }
    io::Error::other(text)
}

/// The inputs that Python named.
pub fn inputs_of(given: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Vec<Input>> {
    given.try_iter()?.map(|one| input_of(&one?, raised)).collect()
}

fn input_of(given: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Input> {
    if let Ok((name, content)) = given.extract::<(String, Bound<'_, PyAny>)>() {
        if let Ok(bytes) = content.cast::<PyBytes>() {
            return Ok(Input::Bytes { name, bytes: bytes.as_bytes().into() });
        }
        let raised = Arc::clone(raised);
        if content.hasattr("read")? {
            let stream = FileObject { object: content.unbind(), raised };
            return Ok(Input::Stream { name, reader: Some(Box::new(stream)) });
        }
        let lines = content.try_iter()?.unbind();
        let stream = Iterated { lines, pending: Vec::new(), given: 0, raised };
        return Ok(Input::Stream { name, reader: Some(Box::new(stream)) });
    }
    Ok(Input::Path(given.extract::<PathBuf>()?))
}

/// The options of a feed as Python gives them.
pub fn options_of(
    py: Python<'_>,
    format: Option<String>,
    timezone: &str,
    received_us: Option<i64>,
    keep_raw: bool,
    book: FileBook,
) -> PyResult<FeedOptions> {
    let parse =
        ParseOptions::new(format, timezone).map_err(|problem| raise_problem(py, &problem))?;
    Ok(FeedOptions { parse, received_us, keep_raw, book })
}

/// Raises what the caller's own iterable raised, if it did.
pub fn check_raised(raised: &Raised) -> PyResult<()> {
    match raised.lock().ok().and_then(|mut raised| raised.take()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
