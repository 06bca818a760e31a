//! Answers questions about the daemon over HTTP: `/status`, `/metrics`, `/healthz`, `/readyz`.
//!
//! It reads and changes nothing, and asks for no token: it listens on the machine itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::metrics;
use super::shared::Shared;
use super::status::status;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Connections at a time; one more waits to be accepted.
const CONNECTIONS_MAX: usize = 32;
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may last, whatever it does.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
const HEAD_BYTES: usize = 16 * 1024;
/// Where nothing can be accepted, descriptors are short: others are to give theirs back first.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens at `address` and serves until the task is aborted.
pub(super) fn start(
    address: &str,
    shared: Arc<Shared>,
    runtime: &Handle,
) -> io::Result<JoinHandle<()>> {
    let listener = runtime.block_on(TcpListener::bind(address))?;
    let routes = Router::new()
        .route("/status", get(whole))
        .route("/metrics", get(measured))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(shared);
    Ok(runtime.spawn(listen(listener, routes)))
}

async fn listen(listener: TcpListener, routes: Router) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // It is never closed.
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let served = serve(stream, routes.clone());
                tokio::spawn(async move {
                    let _ = timeout(CONNECTION_TIMEOUT, served).await;
                    drop(seat);
                });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, routes: Router) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // One that breaks has no one to be told.
    let _ = connection.await;
}

async fn whole(State(shared): State<Arc<Shared>>) -> Response {
    let text = status(&shared).to_string();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn measured(State(shared): State<Arc<Shared>>) -> Response {
    match metrics::page(&shared) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The process answers at all.
async fn alive() -> &'static str {
    "alive\n"
}

/// Records are taken in.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.health.takes_records() {
        return "ready\n".into_response();
    }
    let text = format!("{}\n", shared.health.to_json());
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], text)
        .into_response()
}
