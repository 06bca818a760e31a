//! Where records come from: one file a source. [`SourceSettings`] and [`start`] are the one list.
//!
//! Every byte that comes here is hostile: what is held, and how long, has a limit. A record goes to
//! the log through the [intake](crate::intake), which makes senders wait when the log is slow, and
//! senders that ask for it are answered when their records are durable, never before.

use std::sync::Arc;

use serde::Deserialize;

mod collector;
mod context;
mod doubles;
mod file;
mod gate;
mod held;
mod http;
mod inflate;
mod limits;
mod listener;
mod meters;
mod reception;
mod relp;
mod running;
mod stdin;
mod syslog_tcp;
mod syslog_udp;
mod tls;
mod wire;

pub use context::{Descriptors, SourceContext, StartError};
pub use doubles::Doubles;
pub use file::{FileSettings, StartAt};
pub use held::{DescriptorStore, InheritError};
pub use http::HttpSettings;
pub use limits::StreamLimits;
pub use meters::{Meters, Reading, Refused};
pub use relp::RelpSettings;
pub use running::Running;
pub use stdin::StdinSettings;
pub use syslog_tcp::{FramingRule, SyslogTcpSettings};
pub use syslog_udp::SyslogUdpSettings;
pub use tls::TlsSettings;

/// A source as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceSettings {
    /// Syslog over TCP or TLS.
    SyslogTcp(SyslogTcpSettings),
    /// RELP, plain or under TLS.
    Relp(RelpSettings),
    /// Lines or NDJSON by HTTP.
    Http(HttpSettings),
    /// Files that grow.
    File(FileSettings),
    /// Syslog over UDP.
    SyslogUdp(SyslogUdpSettings),
    /// The standard input.
    Stdin(StdinSettings),
}

/// Starts a source.
pub fn start(settings: &SourceSettings, context: SourceContext) -> Result<Running, StartError> {
    let context = Arc::new(context);
    match settings {
        SourceSettings::SyslogTcp(settings) => syslog_tcp::start(settings, &context),
        SourceSettings::Relp(settings) => relp::start(settings, &context),
        SourceSettings::Http(settings) => http::start(settings, &context),
        SourceSettings::File(settings) => file::start(settings, &context),
        SourceSettings::SyslogUdp(settings) => syslog_udp::start(settings, &context),
        SourceSettings::Stdin(settings) => stdin::start(settings, &context),
    }
}
