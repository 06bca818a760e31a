//! What the tests of binary event logs need.

pub mod evtx_writer;
