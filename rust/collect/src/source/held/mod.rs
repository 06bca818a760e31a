//! Connections that outlive the process: somebody else holds their descriptors, and nothing is taken
//! out of a socket before it is durable.
//!
//! Syslog over plain TCP knows no answer. What lies in the socket of a receiver that dies is lost,
//! and the sender never hears of it. So each connection is given to the service manager's file
//! descriptor store (`sd_notify(3)`, `FDSTORE=1`), bytes are read with `MSG_PEEK` and discarded when
//! their records are durable, and each record stands in the log with its place in the stream. The
//! next process is handed the connections, and reads on where the log ends.

mod flow;
mod store;
mod tail;

pub(crate) use flow::{Begin, HeldFlow};
pub(crate) use store::Left;
pub use store::{DescriptorStore, InheritError};
