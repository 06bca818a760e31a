//! The daemon end to end: records in over real sockets, chunks out, and the log between.

mod admin;
mod chunks;
mod faults;
mod files;
mod keeper;
mod relay;
mod reload;
mod restart;
mod sealing;
mod speed;
