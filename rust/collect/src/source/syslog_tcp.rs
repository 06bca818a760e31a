//! Syslog over TCP and TLS.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use serde::Deserialize;

pub use crate::framing::syslog::FramingRule;
use crate::framing::syslog::StreamFramer;
use crate::intake::Closed;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::limits::StreamLimits;
use super::listener::{Door, Session, close, listen};
use super::reception::{Came, End, Reception};
use super::running::Running;
use super::tls::{Acceptor, TlsSettings};
use super::wire::{Buffer, Wire};

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

async fn serve(settings: Arc<SyslogTcpSettings>, mut wire: Box<dyn Wire>, session: Session) {
    let framer = StreamFramer::new(settings.framing, settings.limits.record_bytes_max);
    let context = Arc::clone(&session.context);
    let mut receiver = Receiver {
        buffer: Buffer::new(framer.window()),
        framer,
        collector: Collector::new(context, Some(session.peer)).marking_doubles(),
    };
    if let Ok(end) = receiver.receive(&settings.limits, &mut wire, &session).await {
        receiver.take();
        receiver.finish(end != End::Closed);
        // A log that is being closed takes nothing more, and there is nobody to tell.
        let _ = receiver.collector.hand_on().await;
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
        limits: &StreamLimits,
        wire: &mut Box<dyn Wire>,
        session: &Session,
    ) -> Result<End, Closed> {
        let mut reception = Reception::new(session);
        loop {
            // What has come is taken before it is handed on, so that batches are large under load.
            let mut came = reception.now(&mut self.buffer, wire).await;
            if came == Came::Nothing {
                self.collector.hand_on().await?;
                self.buffer.rest();
                came = reception.wait(&mut self.buffer, wire, limits.idle_timeout()).await;
            }
            match came {
                Came::Bytes => {}
                Came::Nothing => continue,
                Came::End(end) => return Ok(end),
            }
            if self.take() {
                session.seat.at_work();
            }
            session.context.meters.errors.fetch_add(self.framer.take_strays(), Relaxed);
            if self.collector.is_full() {
                self.collector.hand_on().await?;
            }
        }
    }

    /// Frames what is in the buffer; true where that gave a record.
    fn take(&mut self) -> bool {
        let (mut taken, mut any) = (0, false);
        let held = self.buffer.held();
        while let Some(piece) = self.framer.next(&held[taken..]) {
            let payload = &held[taken + piece.begin..taken + piece.end];
            self.collector.push(payload, piece.flags, None);
            taken += piece.taken;
            any |= !payload.is_empty();
        }
        self.buffer.take(taken);
        any
    }

    /// Keeps what the end of the connection left over.
    fn finish(&mut self, broken: bool) {
        let held = self.buffer.held();
        if let Some(piece) = self.framer.finish(held, broken) {
            self.collector.push(&held[piece.begin..piece.end], piece.flags, None);
        }
    }
}
