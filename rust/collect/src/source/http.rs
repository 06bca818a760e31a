//! Lines and NDJSON by HTTP: the answer is positive when every record is durable.

use std::convert::Infallible;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as Reply;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::http::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;

use crate::framing::syslog::{FramingRule, StreamFramer};
use crate::intake::{Closed, Ticket};

use super::collector::Collector;
use super::context::{SourceContext, StartError};
use super::gate::Refusal;
use super::inflate::{self, Body, Encoding};
use super::limits::StreamLimits;
use super::listener::{Door, Session, listen};
use super::meters::Meters;
use super::running::Running;
use super::tls::{Acceptor, TlsSettings, read_small};
use super::wire::Wire;

/// Largest head of a request.
const HEAD_BYTES: usize = 64 * 1024;
/// Bytes of a body that are worked on before records are handed on.
const PART_BYTES: usize = 16 * 1024;
/// Memory for lines that wait for their end, which is kept from one to the next.
const HELD_BYTES: usize = 4 * 1024 * 1024;
/// Largest file with a token.
const TOKEN_BYTES: u64 = 4 * 1024;

/// Lines or NDJSON by POST.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Address and port.
    pub listen: String,
    /// Path of the requests.
    pub path: String,
    /// File with the token that a sender has to show; `None` asks for none.
    pub token_file: Option<PathBuf>,
    /// TLS; `None` takes plain text.
    pub tls: Option<TlsSettings>,
    /// What it may hold.
    pub limits: StreamLimits,
    /// Largest body, decompressed.
    pub body_bytes_max: u64,
    /// How many times a compressed body may grow.
    pub body_ratio_max: u64,
    /// How long a body may take to come.
    pub body_timeout_s: u64,
    /// How long a sender waits for its records to be durable before it is told to try again.
    pub answer_timeout_s: u64,
}

/// Begins to listen.
pub(crate) fn start(
    settings: &HttpSettings,
    context: &Arc<SourceContext>,
) -> Result<Running, StartError> {
    let storage = context.storage.as_ref();
    let tls = settings.tls.as_ref().map(|tls| Acceptor::new(tls, storage)).transpose()?;
    let token = settings
        .token_file
        .as_ref()
        .map(|path| read_small(storage, path, TOKEN_BYTES).map(|token| (path, token)))
        .transpose()?;
    let token = match token {
        Some((path, token)) if token.trim_ascii().is_empty() => {
            let what = "the token is empty".to_owned();
            return Err(StartError::File { path: path.clone(), what });
        }
        Some((_, token)) => Some(blake3::hash(token.trim_ascii())),
        None => None,
    };
    let listener = listen(&settings.listen, None)?;
    let limits = settings.limits.clone();
    let refusal = if tls.is_some() { |_| b"".as_slice() } else { refusal };
    let context = Arc::clone(context);
    let runtime = context.runtime.clone();
    let door = Door { context, limits, tls, holds: false, left: Vec::new(), refusal };
    let site = Arc::new(Site { settings: settings.clone(), token });
    Ok(Running::listening(&runtime, listener, |listener, stop| {
        door.serve(listener, stop, move |wire, session| serve(Arc::clone(&site), wire, session))
    }))
}

/// What a connection is told that is not taken.
fn refusal(refusal: Refusal) -> &'static [u8] {
    match refusal {
        Refusal::AddressFull => {
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
        Refusal::Full | Refusal::Descriptors => {
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
    }
}

/// What requests are answered from.
struct Site {
    settings: HttpSettings,
    /// Hash of the token. Hashes are compared in constant time.
    token: Option<blake3::Hash>,
}

async fn serve(site: Arc<Site>, wire: Wire, session: Session) {
    let session = Arc::new(session);
    let header_timeout = site.settings.limits.header_timeout();
    let service = {
        let session = Arc::clone(&session);
        hyper::service::service_fn(move |request| {
            let (site, session) = (Arc::clone(&site), Arc::clone(&session));
            async move { Ok::<_, Infallible>(site.answer(request, &session).await) }
        })
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES)
        // A sender that has said all is still answered.
        .half_close(true)
        .serve_connection(TokioIo::new(wire), service);
    tokio::pin!(connection);
    tokio::select! {
        // A connection that breaks has no one to be told.
        _ = connection.as_mut() => return,
        () = session.stopped() => {}
        () = session.seat.evicted() => return,
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Why a request is not answered positively.
struct Trouble {
    status: StatusCode,
    detail: String,
    /// Records of the request that were handed to the log all the same.
    records: u64,
}

impl Trouble {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), records: 0 }
    }
}

impl Site {
    async fn answer(&self, request: Request<Incoming>, session: &Session) -> Response<Reply> {
        let result = match self.admit(&request, session) {
            Ok(encoding) => self.take(request.into_body(), encoding, session).await,
            Err(trouble) => Err(trouble),
        };
        match result {
            Ok((records, end)) => {
                let text = serde_json::json!({ "records": records, "end": end }).to_string();
                reply(StatusCode::OK, "application/json", text)
            }
            Err(trouble) => {
                Meters::count(&session.context.meters.errors);
                refuse(&trouble)
            }
        }
    }

    /// Looks at the head of a request.
    fn admit(&self, request: &Request<Incoming>, session: &Session) -> Result<Encoding, Trouble> {
        if request.uri().path() != self.settings.path {
            let detail = format!("records are taken at {}", self.settings.path);
            return Err(Trouble::new(StatusCode::NOT_FOUND, detail));
        }
        if request.method() != Method::POST {
            return Err(Trouble::new(StatusCode::METHOD_NOT_ALLOWED, "send records by POST"));
        }
        if let Some(token) = &self.token {
            let shown = request.headers().get(AUTHORIZATION).and_then(|value| bearer(value));
            if shown.map(blake3::hash) != Some(*token) {
                Meters::count(&session.context.meters.refused.token);
                let detail = "show the token: `Authorization: Bearer …`";
                return Err(Trouble::new(StatusCode::UNAUTHORIZED, detail));
            }
        }
        let declared = request.body().size_hint().lower();
        if declared > self.settings.body_bytes_max {
            return Err(self.too_large());
        }
        let encoding =
            request.headers().get(CONTENT_ENCODING).map_or(b"".as_slice(), |v| v.as_bytes());
        Encoding::named(encoding).ok_or_else(|| {
            let detail = "a body may be plain, gzip or zstd";
            Trouble::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
        })
    }

    /// Takes the records of a body; gives their number and the sequence after the last.
    async fn take(
        &self,
        body: Incoming,
        encoding: Encoding,
        session: &Session,
    ) -> Result<(u64, Option<u64>), Trouble> {
        let mut intake = Uptake::new(&self.settings, encoding, session)?;
        let limit = Duration::from_secs(self.settings.body_timeout_s);
        let taken = tokio::time::timeout(limit, intake.read(body)).await.unwrap_or_else(|_| {
            Err(Trouble::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to come"))
        });
        // What came is kept, whether or not the rest can be read; the sender is told how much.
        intake.finish(taken.is_err());
        let handed_on = intake.hand_on().await;
        let records = intake.records;
        let told = |trouble| Trouble { records, ..trouble };
        taken.map_err(|trouble| match trouble.status {
            StatusCode::PAYLOAD_TOO_LARGE if trouble.detail.is_empty() => told(self.too_large()),
            _ => told(trouble),
        })?;
        handed_on.map_err(|Closed| told(closing()))?;
        let Some(ticket) = intake.last else { return Ok((records, None)) };
        session.seat.busy();
        let limit = Duration::from_secs(self.settings.answer_timeout_s);
        let durable = tokio::time::timeout(limit, ticket.durable()).await;
        session.seat.at_work();
        match durable {
            Ok(Ok(end)) => Ok((records, Some(end))),
            Ok(Err(Closed)) => Err(told(closing())),
            Err(_) => {
                let detail = "the records are not durable yet; send them again";
                Err(told(Trouble::new(StatusCode::SERVICE_UNAVAILABLE, detail)))
            }
        }
    }

    fn too_large(&self) -> Trouble {
        let max = self.settings.body_bytes_max;
        let detail =
            format!("a body may have {max} bytes decompressed; send fewer records at once");
        Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }
}

/// The records of one request on their way to the log.
struct Uptake {
    body: Body,
    framer: StreamFramer,
    /// Decompressed bytes that wait for the end of their line.
    held: Vec<u8>,
    collector: Collector,
    records: u64,
    /// The promise for the last batch, which is kept after those for the earlier ones.
    last: Option<Ticket>,
}

impl Uptake {
    fn new(
        settings: &HttpSettings,
        encoding: Encoding,
        session: &Session,
    ) -> Result<Self, Trouble> {
        let body = Body::new(encoding, settings.body_bytes_max, settings.body_ratio_max)
            .map_err(|_| closing())?;
        let context = Arc::clone(&session.context);
        Ok(Self {
            body,
            framer: StreamFramer::new(FramingRule::Lines, settings.limits.record_bytes_max),
            held: Vec::new(),
            collector: Collector::new(context, Some(session.peer)).marking_doubles(),
            records: 0,
            last: None,
        })
    }

    async fn read(&mut self, mut body: Incoming) -> Result<(), Trouble> {
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let broken = |_| Trouble::new(StatusCode::BAD_REQUEST, "the body broke off");
            let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
            for part in bytes.chunks(PART_BYTES) {
                self.put(part)?;
                if self.collector.is_full() {
                    self.hand_on().await.map_err(|Closed| closing())?;
                }
            }
        }
        let held = &mut self.held;
        self.body.end(|bytes| held.extend_from_slice(bytes)).map_err(unreadable)?;
        self.frame();
        Ok(())
    }

    fn put(&mut self, part: &[u8]) -> Result<(), Trouble> {
        let held = &mut self.held;
        let put = self.body.put(part, |bytes| held.extend_from_slice(bytes));
        self.frame();
        put.map_err(unreadable)
    }

    fn frame(&mut self) {
        let mut taken = 0;
        while let Some(piece) = self.framer.next(&self.held[taken..]) {
            let payload = &self.held[taken + piece.begin..taken + piece.end];
            self.records += u64::from(!payload.is_empty());
            self.collector.push(payload, piece.flags, None);
            taken += piece.taken;
        }
        self.held.drain(..taken);
        // A long line is over: its batch holds it now, and the answer may take a while.
        if self.held.is_empty() && self.held.capacity() > HELD_BYTES {
            self.held = Vec::new();
        }
    }

    /// Keeps a last line without a line end.
    fn finish(&mut self, broken: bool) {
        if let Some(piece) = self.framer.finish(&self.held, broken) {
            self.collector.push(&self.held[piece.begin..piece.end], piece.flags, None);
            self.records += 1;
        }
        self.held = Vec::new();
    }

    async fn hand_on(&mut self) -> Result<(), Closed> {
        if let Some(ticket) = self.collector.submit().await? {
            self.last = Some(ticket);
        }
        Ok(())
    }
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn unreadable(trouble: inflate::Trouble) -> Trouble {
    match trouble {
        // The words that name the limit are put in by the one who knows it.
        inflate::Trouble::TooLarge => Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, ""),
        inflate::Trouble::Ratio => {
            Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "the body grows too much when decompressed")
        }
        inflate::Trouble::Damaged => {
            Trouble::new(StatusCode::BAD_REQUEST, "the body is not what Content-Encoding says")
        }
    }
}

fn closing() -> Trouble {
    Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "the log is being closed; send the records again")
}

fn reply(status: StatusCode, kind: &'static str, text: String) -> Response<Reply> {
    let mut response = Response::new(Reply::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The answer to a request that is not taken (RFC 9457).
fn refuse(trouble: &Trouble) -> Response<Reply> {
    let text = serde_json::json!({
        "type": "about:blank",
        "title": trouble.status.canonical_reason().unwrap_or_default(),
        "status": trouble.status.as_u16(),
        "detail": trouble.detail,
        "records": trouble.records,
    });
    let mut response = reply(trouble.status, "application/problem+json", text.to_string());
    let headers = response.headers_mut();
    match trouble.status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}
