//! Arrow batches across the border by the PyCapsule interface, without pyarrow.
//!
//! Source: the Arrow PyCapsule Interface, <https://arrow.apache.org/docs/format/CDataInterface/>.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, to_ffi};
use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray,
};
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_pyarrow::FromPyArrow;
use arrow_schema::{ArrowError, Schema, SchemaRef, ffi::FFI_ArrowSchema};
use bigsec_event::{FieldMaps, codes};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::raise;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// An Arrow record batch.
#[pyclass(frozen, module = "bigsec._core")]
pub struct Batch(pub RecordBatch);

#[pymethods]
impl Batch {
    #[new]
    fn new(batch: &Bound<'_, PyAny>) -> PyResult<Self> {
        RecordBatch::from_pyarrow_bound(batch).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.0.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn to_ndjson<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let text = py.detach(|| ndjson(&self.0)).map_err(arrow_error)?;
        Ok(pyo3::types::PyBytes::new(py, &text))
    }

    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let text = py.detach(|| ndjson(&self.0)).map_err(arrow_error)?;
        objects(py, &text)
    }

    fn to_ecs<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let text = py
            .detach(|| bigsec_ecs::to_ndjson(&self.0, &FieldMaps::default()))
            .map_err(|error| not_events(py, &error.to_string()))?;
        objects(py, &text)
    }

    fn __repr__(&self) -> String {
        format!("<bigsec.Batch {} rows, {} columns>", self.0.num_rows(), self.0.num_columns())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, self.0.schema_ref())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface allows ignoring the request; consumers cast what they get.
        let _ = requested_schema;
        let data = StructArray::from(self.0.clone()).into_data();
        let (array, _): (FFI_ArrowArray, FFI_ArrowSchema) = to_ffi(&data).map_err(arrow_error)?;
        let array = PyCapsule::new_with_value(py, array, ARRAY)?;
        Ok((schema_capsule(py, self.0.schema_ref())?, array))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let schema = self.0.schema();
        let batches = std::iter::once(Ok(self.0.clone()));
        stream_capsule(py, Box::new(RecordBatchIterator::new(batches, schema)))
    }
}

/// The objects of lines of JSON.
fn objects<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let loads = py.import("orjson")?.getattr("loads")?;
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| loads.call1((line,)))
        .collect()
}

/// A schema as a capsule.
pub fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(arrow_error)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// A stream of batches as a capsule.
pub fn stream_capsule(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// The batches of any object that speaks the PyCapsule interface, as stream or as one array.
pub fn batches_of(data: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    let py = data.py();
    if data.hasattr("__arrow_c_stream__")? {
        let reader = ArrowArrayStreamReader::from_pyarrow_bound(data)
            .map_err(|error| not_events(py, &error.to_string()))?;
        return Ok(Box::new(reader));
    }
    if data.hasattr("__arrow_c_array__")? {
        let batch = RecordBatch::from_pyarrow_bound(data)
            .map_err(|error| not_events(py, &error.to_string()))?;
        let schema = batch.schema();
        return Ok(Box::new(RecordBatchIterator::new(std::iter::once(Ok(batch)), schema)));
    }
    let given = data.get_type().name()?.to_string();
    Err(not_events(
        py,
        &format!("expected an object with __arrow_c_stream__ or __arrow_c_array__, not {given}"),
    ))
}

/// Says that data is not what the event schema demands.
pub fn not_events(py: Python<'_>, message: &str) -> PyErr {
    raise(py, codes::EVENT_SCHEMA, message, &[])
}

pub fn arrow_error(error: ArrowError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The rows as JSON lines: ids in hexadecimal, nulls left out.
fn ndjson(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut out = Vec::new();
    let mut writer = WriterBuilder::new()
        .with_timestamp_tz_format("%Y-%m-%dT%H:%M:%S%.6fZ".to_owned())
        .build::<_, LineDelimited>(&mut out);
    writer.write(&with_offsets(batch)?)?;
    writer.finish()?;
    drop(writer);
    Ok(out)
}

/// The batch with its times in UTC by offset: the writer knows no zone by its name.
fn with_offsets(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (fields, columns): (Vec<_>, Vec<ArrayRef>) = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(times) => {
                let times = times.clone().with_timezone("+00:00");
                let field = field.as_ref().clone().with_data_type(times.data_type().clone());
                (Arc::new(field), Arc::new(times) as ArrayRef)
            }
            None => (Arc::clone(field), Arc::clone(column)),
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
