//! RELP: every message is answered when it is durable, in the order in which they came.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use crate::framing::relp::{Fault, Part, RelpFramer, What};
use crate::intake::Ticket;

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::limits::StreamLimits;
use super::listener::{Door, Session, close, listen};
use super::meters::Meters;
use super::reception::{Came, End, Reception};
use super::running::Running;
use super::tls::{Acceptor, TlsSettings};
use super::wire::{Buffer, Flow, Wire};

/// Batches of one session that wait to be durable.
const UNANSWERED_BATCHES: usize = 16;
/// Messages of one batch, however short they are.
const BATCH_MESSAGES: usize = 4_096;
/// How long the sender may take to read an answer.
const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// RELP, plain or under TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelpSettings {
    /// Address and port.
    pub listen: String,
    /// TLS; `None` takes plain text.
    pub tls: Option<TlsSettings>,
    /// What it may hold.
    pub limits: StreamLimits,
}

/// Begins to listen.
pub(crate) fn start(
    settings: &RelpSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let storage = context.storage.as_ref();
    let tls = settings.tls.as_ref().map(|tls| Acceptor::new(tls, storage)).transpose()?;
    let listener = listen(&settings.listen, None)?;
    let limits = Arc::new(settings.limits.clone());
    let door = Door {
        context: Arc::clone(context),
        limits: settings.limits.clone(),
        tls,
        holds: false,
        left: Vec::new(),
        refusal: |_| b"0 serverclose 0\n",
    };
    Ok(Running::listening(&context.runtime, listener, |listener, stop| {
        door.serve(listener, stop, move |wire, session| serve(Arc::clone(&limits), wire, session))
    }))
}

/// What is written to the sender, in this order.
enum Answer {
    /// These transactions are done when the ticket says so.
    Durable(Option<Ticket>, Vec<u32>),
    /// This text.
    Text(String),
}

async fn serve(limits: Arc<StreamLimits>, wire: Wire, session: Session) {
    let (reader, mut writer) = tokio::io::split(wire);
    let (answers, waiting) = mpsc::channel(UNANSWERED_BATCHES);
    let context = Arc::clone(&session.context);
    let framer = RelpFramer::new(limits.record_bytes_max);
    let receiver = Receiver {
        flow: Flow { buffer: Buffer::new(framer.window()), reader },
        framer,
        collector: Collector::new(context, Some(session.peer)).marking_doubles(),
        transactions: Vec::new(),
        answers,
        is_open: false,
    };
    {
        let answering = answer(&mut writer, waiting, &session);
        tokio::pin!(answering);
        tokio::select! {
            // The receiver's end is the end of the questions; those asked are still answered.
            () = receiver.receive(&limits, &session) => answering.await,
            () = &mut answering => {}
        }
    }
    close(&mut writer).await;
}

/// Writes the answers until there are no more, or nobody reads them.
async fn answer(
    writer: &mut WriteHalf<Wire>,
    mut waiting: mpsc::Receiver<Answer>,
    session: &Session,
) {
    let mut text = String::new();
    while let Some(answer) = waiting.recv().await {
        text.clear();
        match answer {
            Answer::Text(words) => text.push_str(&words),
            Answer::Durable(ticket, transactions) => {
                if let Some(ticket) = ticket {
                    // Without a promise kept there is no answer, and the sender sends again.
                    session.seat.busy();
                    let durable = ticket.durable().await;
                    session.seat.at_work();
                    if durable.is_err() {
                        return;
                    }
                }
                for transaction in transactions {
                    // Writing to a string does not fail.
                    let _ = writeln!(text, "{transaction} rsp 6 200 OK");
                }
            }
        }
        let written = tokio::time::timeout(ANSWER_TIMEOUT, writer.write_all(text.as_bytes())).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
        // Under TLS what was written may lie in our own buffer.
        if writer.flush().await.is_err() {
            return;
        }
    }
}

/// Reads what one session sends.
struct Receiver {
    framer: RelpFramer,
    flow: Flow<ReadHalf<Wire>>,
    collector: Collector,
    /// Transactions of the batch that is being gathered.
    transactions: Vec<u32>,
    answers: mpsc::Sender<Answer>,
    is_open: bool,
}

/// Why reading ends.
enum Stop {
    /// The log or the sender is gone: no more words.
    Silent,
    /// The sender asked for it, and is told.
    Asked(u32),
    /// The sender does not speak RELP, and is told.
    Fault(Fault),
    /// We end it, and say so.
    Ours,
}

impl Receiver {
    async fn receive(mut self, limits: &StreamLimits, session: &Session) {
        let stop = self.read_all(limits, session).await;
        if self.hand_on().await.is_none() {
            return;
        }
        let last = match stop {
            Stop::Silent => return,
            Stop::Ours => "0 serverclose 0\n".to_owned(),
            Stop::Asked(transaction) => format!("{transaction} rsp 0\n0 serverclose 0\n"),
            Stop::Fault(Fault { transaction, what }) => {
                Meters::count(&session.context.meters.errors);
                response(transaction, &format!("500 {what}")) + "0 serverclose 0\n"
            }
        };
        // Where the answering side has gone, the connection is broken.
        let _ = self.answers.send(Answer::Text(last)).await;
    }

    async fn read_all(&mut self, limits: &StreamLimits, session: &Session) -> Stop {
        let mut reception = Reception::new(session);
        loop {
            let mut came = reception.now(&mut self.flow).await;
            if came == Came::Nothing {
                if self.hand_on().await.is_none() {
                    return Stop::Silent;
                }
                self.flow.buffer.rest();
                let silence =
                    if self.is_open { limits.idle_timeout() } else { limits.header_timeout() };
                came = reception.wait(&mut self.flow, silence).await;
            }
            match came {
                Came::Bytes => {}
                Came::Nothing => continue,
                Came::End(End::Closed | End::Broken) => return Stop::Silent,
                Came::End(End::Ours) => return Stop::Ours,
            }
            if let Err(stop) = self.take(session).await {
                return stop;
            }
        }
    }

    /// Reads what is in the buffer.
    async fn take(&mut self, session: &Session) -> Result<(), Stop> {
        let mut taken = 0;
        let found = loop {
            let held = self.flow.buffer.held();
            let part = match self.framer.next(&held[taken..]) {
                Ok(Some(part)) => part,
                Ok(None) => break Ok(()),
                Err(fault) => break Err(Stop::Fault(fault)),
            };
            let bytes = taken + part.begin..taken + part.end;
            taken += part.taken;
            match part {
                Part { what: What::Message(transaction, flags), .. } => {
                    if !self.is_open {
                        let transaction = transaction.unwrap_or_default();
                        let what = "the session is not open";
                        break Err(Stop::Fault(Fault { transaction, what }));
                    }
                    self.collector.push(&held[bytes], flags, None);
                    self.transactions.extend(transaction);
                    session.seat.at_work();
                }
                Part { what: What::Open(transaction), .. } => {
                    let welcome = open(transaction, &held[bytes]);
                    self.is_open |= welcome.is_ok();
                    match welcome {
                        Ok(words) => self.say(words).await.ok_or(Stop::Silent)?,
                        Err(fault) => break Err(Stop::Fault(fault)),
                    }
                }
                Part { what: What::Close(transaction), .. } => break Err(Stop::Asked(transaction)),
            }
            if self.collector.is_full() || self.transactions.len() >= BATCH_MESSAGES {
                self.hand_on().await.ok_or(Stop::Silent)?;
            }
        };
        self.flow.buffer.take(taken);
        found
    }

    /// Hands the batch on and queues its answers; `None` where the log or the sender is gone.
    async fn hand_on(&mut self) -> Option<()> {
        if self.collector.is_empty() && self.transactions.is_empty() {
            return Some(());
        }
        let ticket = self.collector.submit().await.ok()?;
        let transactions = std::mem::take(&mut self.transactions);
        self.answers.send(Answer::Durable(ticket, transactions)).await.ok()
    }

    async fn say(&mut self, words: String) -> Option<()> {
        self.hand_on().await?;
        self.answers.send(Answer::Text(words)).await.ok()
    }
}

/// The answer to the offers of a session that is opened.
fn open(transaction: u32, offers: &[u8]) -> Result<String, Fault> {
    let syslog = offers
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"commands="))
        .flat_map(|commands| commands.split(|byte| *byte == b','))
        .any(|command| command.trim_ascii() == b"syslog");
    if !syslog {
        return Err(Fault { transaction, what: "the sender does not offer the command syslog" });
    }
    let ours = "200 OK\nrelp_version=0\nrelp_software=bigsec\ncommands=syslog";
    Ok(response(transaction, ours))
}

fn response(transaction: u32, words: &str) -> String {
    format!("{transaction} rsp {} {words}\n", words.len())
}
