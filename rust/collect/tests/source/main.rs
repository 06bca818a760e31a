//! The sources, over real sockets and real files, against a log that only remembers.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![allow(clippy::format_collect, reason = "inputs are small")]

mod file;
mod held;
mod http;
mod limits;
mod relp;
mod rig;
mod syslog_tcp;
mod syslog_udp;
mod tls;
