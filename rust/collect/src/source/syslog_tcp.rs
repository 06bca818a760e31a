//! Syslog over TCP and TLS.

use std::io;
use std::sync::Arc;

use serde::Deserialize;

use bigsec_evidence::Flags;

use crate::framing::syslog::StreamFramer;
pub use crate::framing::syslog::FramingRule;
use crate::intake::Closed;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::limits::StreamLimits;
use super::listener::{Door, Session, close, listen};
use super::meters::Meters;
use super::running::Running;
use super::tls::{Acceptor, TlsSettings};
use super::wire::{Buffer, Wire};

/// What a connection may still give after the stop: what lies in its socket, and no more.
const LAST_BYTES: usize = 16 * 1024 * 1024;

/// Syslog over TCP or TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogTcpSettings {
    /// Address and port.
    pub listen: String,
    /// How records are told apart.
    pub framing: FramingRule,
    /// TLS; `None` takes plain text.
    pub tls: Option<TlsSettings>,
    /// What it may hold.
    pub limits: StreamLimits,
}

/// Begins to listen.
pub(crate) fn start(
    settings: &SyslogTcpSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let storage = context.storage.as_ref();
    let tls = settings.tls.as_ref().map(|tls| Acceptor::new(tls, storage)).transpose()?;
    let listener = listen(&settings.listen)?;
    let limits = settings.limits.clone();
    let door = Door { context: Arc::clone(context), limits, tls, refusal: |_| &[] };
    let settings = Arc::new(settings.clone());
    Ok(Running::listening(&context.runtime, listener, |listener, stop| {
        door.serve(listener, stop, move |wire, session| serve(Arc::clone(&settings), wire, session))
    }))
}

/// How a connection ended.
#[derive(PartialEq, Eq)]
enum End {
    /// The sender closed it.
    Closed,
    /// It broke, or was closed by us.
    Broken,
}

async fn serve(settings: Arc<SyslogTcpSettings>, mut wire: Box<dyn Wire>, session: Session) {
    let limit = settings.limits.record_bytes_max;
    let framer = StreamFramer::new(settings.framing, limit);
    let mut receiver = Receiver {
        buffer: Buffer::new(framer.window()),
        framer,
        collector: Collector::new(Arc::clone(&session.context), Some(session.peer))
            .marking_doubles(),
    };
    if let Ok(end) = receiver.receive(&settings, &mut wire, &session).await {
        receiver.finish(end == End::Broken);
        // A log that is being closed takes nothing more, and there is nobody to tell.
        let _ = receiver.collector.submit().await;
    }
    close(&mut wire).await;
}

/// Frames what one connection sends.
struct Receiver {
    framer: StreamFramer,
    buffer: Buffer,
    collector: Collector,
}

impl Receiver {
    async fn receive(
        &mut self,
        settings: &SyslogTcpSettings,
        wire: &mut Box<dyn Wire>,
        session: &Session,
    ) -> Result<End, Closed> {
        let idle = settings.limits.idle_timeout();
        let mut last_bytes = LAST_BYTES;
        loop {
            // What has come is taken before it is handed on, so that batches are large under load.
            let read = match self.buffer.fill_now(wire).await {
                Some(read) => read,
                None if session.is_stopping() => return Ok(End::Broken),
                None => {
                    self.collector.submit().await?;
                    self.buffer.rest();
                    tokio::select! {
                        read = tokio::time::timeout(idle, self.buffer.fill(wire)) => {
                            read.unwrap_or_else(|_| {
                                Meters::count(&session.context.meters.timed_out);
                                Err(io::ErrorKind::TimedOut.into())
                            })
                        }
                        () = session.stopped() => continue,
                        () = session.seat.evicted() => return Ok(End::Broken),
                    }
                }
            };
            let read = match read {
                Ok(0) => return Ok(End::Closed),
                Ok(read) => read,
                Err(_) => return Ok(End::Broken),
            };
            if self.take() {
                session.seat.at_work();
            }
            let strays = self.framer.take_strays();
            session.context.meters.errors.fetch_add(strays, std::sync::atomic::Ordering::Relaxed);
            if self.collector.is_full() {
                self.collector.submit().await?;
            }
            if session.is_stopping() {
                last_bytes = last_bytes.saturating_sub(read);
                if last_bytes == 0 {
                    return Ok(End::Broken);
                }
            }
        }
    }

    /// Frames what is in the buffer; true where that gave a record.
    fn take(&mut self) -> bool {
        let mut taken = 0;
        let held = self.buffer.held();
        let mut any = false;
        while let Some(piece) = self.framer.next(&held[taken..]) {
            let payload = &held[taken + piece.begin..taken + piece.end];
            self.collector.push(payload, piece.flags, None);
            taken += piece.taken;
            any |= piece.end > piece.begin;
        }
        self.buffer.take(taken);
        any
    }

    /// Keeps what a broken connection left over.
    fn finish(&mut self, broken: bool) {
        let held = self.buffer.held();
        if let Some(piece) = self.framer.finish(held, broken) {
            let flags: Flags = piece.flags;
            self.collector.push(&held[piece.begin..piece.end], flags, None);
        }
    }
}
