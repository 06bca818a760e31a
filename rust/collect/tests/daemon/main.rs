//! The daemon end to end: records in over real sockets, chunks out, and the log between.

mod chunks;
mod faults;
mod relay;
mod reload;
mod restart;
