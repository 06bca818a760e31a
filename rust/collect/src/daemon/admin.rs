//! Answers questions about the daemon over HTTP: `/status`, `/metrics`, `/healthz`, `/readyz`.
//!
//! It reads and changes nothing, and asks for no token: it listens on the machine itself.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::metrics;
use super::shared::Shared;
use super::status::status;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
    Ok(runtime.spawn(async move {
        // Ends with the task alone: a failed accept is tried again by axum.
        let _ = axum::serve(listener, routes).await;
    }))
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
