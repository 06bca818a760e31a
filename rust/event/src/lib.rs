//! The contracts of `bigsec`: what a record, an event and an id are.
//!
//! Every other crate speaks in these types. Nothing here reads files, knows a log format or
//! evaluates a rule: see `bigsec-parse` for the first two and `bigsec-detect` for the last.
//!
//! * [`Record`] is one decoded record, field name to value, over the text it came from.
//! * [`FieldSource`] is how a rule looks at an event, whether it is a [`Record`] in a stream or
//!   a row of an Arrow batch ([`EventRow`]).
//! * [`FieldMap`] says which field of a vendor became which column of the event schema.
//! * [`EventBatchBuilder`] makes Arrow batches in the schema of [`schema`].

#![forbid(unsafe_code)]

mod batch;
mod code;
mod column;
mod conform;
mod field_map;
mod id;
mod name;
mod problem;
mod record;
pub mod schema;
mod source;
pub mod suggest;
mod time;
mod value;
mod view;

pub use batch::{EventBatchBuilder, EventMeta};
pub use code::{CODES, Code, codes};
pub use column::takes;
pub use field_map::{FieldMap, FieldMapError, FieldMaps};
pub use id::{EventId, FINGERPRINT_BYTES, Origin, ParseIdError, file_key, fingerprint};
pub use name::FieldName;
pub use problem::{Place, Problem};
pub use record::{Fields, Record};
pub use source::FieldSource;
pub use time::{EFFECTIVE_FUTURE_US, EFFECTIVE_PAST_US, TimeBound, time_effective};
pub use value::{Kind, Value};
pub use view::{EventRow, EventView, ViewError};
