//! The door to time: the evidence crate's, which is the only one.

pub use bigsec_evidence::clock::{Clock, SystemClock, micros};
