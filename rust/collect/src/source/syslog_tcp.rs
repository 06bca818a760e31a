//! Syslog over TCP and TLS.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bigsec_evidence::Flags;
use serde::Deserialize;

pub use crate::framing::syslog::FramingRule;
use crate::framing::syslog::StreamFramer;
use crate::intake::Closed;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::held::{Begin, HeldFlow};
use super::limits::StreamLimits;
use super::listener::{Door, Session, close, listen};
use super::meters::Meters;
use super::reception::{Came, End, Reception};
use super::running::Running;
use super::tls::{Acceptor, TlsSettings};
use super::wire::{Buffer, Flow, Inflow, Wire};

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
    // The state of TLS dies with the process.
    let holds = tls.is_none();
    let store = context.store.as_ref().filter(|_| holds);
    let listener = listen(&settings.listen, store)?;
    let limits = settings.limits.clone();
    let address = listener.local_addr().ok();
    let left = store.zip(address).map(|(store, address)| store.connections(address));
    let left = left.unwrap_or_default();
    let door = Door { context: Arc::clone(context), limits, tls, holds, left, refusal: |_| &[] };
    let settings = Arc::new(settings.clone());
    Ok(Running::listening(&context.runtime, listener, |listener, stop| {
        door.serve(listener, stop, move |wire, session| serve(Arc::clone(&settings), wire, session))
    }))
}

async fn serve(settings: Arc<SyslogTcpSettings>, wire: Wire, mut session: Session) {
    let framer = StreamFramer::new(settings.framing, settings.limits.record_bytes_max);
    let context = Arc::clone(&session.context);
    let collector = Collector::new(Arc::clone(&context), Some(session.peer));
    match (wire, session.held.take(), context.store.clone()) {
        (Wire::Plain(stream), Some(held), Some(store)) => {
            let (key, durable) = (held.key, context.resume.get(&held.key).copied());
            // What was sent before is known exactly, but for a sender that connects anew.
            let is_new = held.taken == 0 && durable.is_none();
            let collector = if is_new { collector.marking_doubles() } else { collector };
            let durable = durable.unwrap_or_default();
            let begin = Begin { taken: held.taken, durable, tail: held.tail };
            let doors = (Arc::clone(&store), Arc::clone(&context.descriptors));
            let flow = HeldFlow::new((stream, key), begin, doors, framer.window());
            match flow {
                Ok((flow, is_cut)) => {
                    let mut receiver = Receiver { flow, framer, collector, is_cut };
                    if receiver.serve(&settings.limits, &session).await {
                        return;
                    }
                    close(receiver.flow.stream()).await;
                }
                Err(_) => Meters::count(&context.meters.errors),
            }
            store.release_of(&context.name, key).await;
        }
        (wire, ..) => {
            let flow = Flow { buffer: Buffer::new(framer.window()), reader: wire };
            let collector = collector.marking_doubles();
            let mut receiver = Receiver { flow, framer, collector, is_cut: false };
            receiver.serve(&settings.limits, &session).await;
            close(&mut receiver.flow.reader).await;
        }
    }
}

/// Frames what one connection sends.
struct Receiver<F> {
    flow: F,
    framer: StreamFramer,
    collector: Collector,
    /// The beginning of the next record is lost.
    is_cut: bool,
}

impl<F: Inflow> Receiver<F> {
    /// Takes records until the connection ends; true where it is left to another process.
    async fn serve(&mut self, limits: &StreamLimits, session: &Session) -> bool {
        match self.receive(limits, session).await {
            Ok(End::Ours) if F::ONE_BY_ONE && session.is_left() => true,
            Ok(end) => {
                self.take();
                self.finish(end != End::Closed);
                self.flow.hand_on(&mut self.collector).await.is_err() && F::ONE_BY_ONE
            }
            // A log that is being closed takes nothing more, and there is nobody to tell.
            Err(Closed) => F::ONE_BY_ONE,
        }
    }

    async fn receive(&mut self, limits: &StreamLimits, session: &Session) -> Result<End, Closed> {
        let mut reception = Reception::new(session);
        loop {
            // What has come is taken before it is handed on, so that batches are large under load.
            let mut came = reception.now(&mut self.flow).await;
            if came == Came::Nothing {
                self.flow.hand_on(&mut self.collector).await?;
                self.flow.rest();
                came = reception.wait(&mut self.flow, limits.idle_timeout()).await;
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
            if F::ONE_BY_ONE || self.collector.is_full() {
                self.flow.hand_on(&mut self.collector).await?;
            }
        }
    }

    /// Frames what is in the buffer; true where that gave a record.
    fn take(&mut self) -> bool {
        let (mut taken, mut any) = (0, false);
        let held = self.flow.held();
        while let Some(piece) = self.framer.next(&held[taken..]) {
            let payload = &held[taken + piece.begin..taken + piece.end];
            taken += piece.taken;
            let flags = if self.is_cut { piece.flags.with(Flags::CUT) } else { piece.flags };
            self.is_cut = false;
            self.collector.push(payload, flags, self.flow.position(taken));
            any |= !payload.is_empty();
        }
        self.flow.take(taken);
        any
    }

    /// Keeps what the end of the connection left over.
    fn finish(&mut self, broken: bool) {
        let held = self.flow.held();
        if let Some(piece) = self.framer.finish(held, broken) {
            let position = self.flow.position(held.len());
            self.collector.push(&held[piece.begin..piece.end], piece.flags, position);
        }
        let rest = held.len();
        self.flow.take(rest);
    }
}
