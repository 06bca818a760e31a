//! What the daemon says of itself, as JSON.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::locked;
use super::shared::Shared;
use crate::intake::QUEUED_BATCHES;

/// The whole status.
pub(super) fn status(shared: &Shared) -> Value {
    json!({
        "name": shared.name,
        "version": env!("CARGO_PKG_VERSION"),
        "started_us": shared.started_us,
        "now_us": shared.doors.clock.now_us(),
        "health": shared.health.to_json(),
        "log": log(shared),
        "queue": {
            "batches": shared.writer.queued.load(Ordering::Relaxed),
            "capacity": QUEUED_BATCHES,
        },
        "consumer": {
            "next": shared.consumer.next.load(Ordering::Acquire),
            "lag": shared.lag(),
        },
        "sources": sources(shared),
        "disk": disk(shared),
        "gauges": locked(&shared.gauges).clone(),
    })
}

fn log(shared: &Shared) -> Value {
    let view = locked(&shared.log).clone();
    let writer = &shared.writer;
    let groups = writer.groups.load(Ordering::Relaxed);
    json!({
        "folder": shared.folder.display().to_string(),
        "size": shared.durable.get(),
        "first": view.first,
        "segments": view.segments,
        "bytes": view.bytes,
        "sealed": view.sealed,
        "deleted": view.deleted,
        "checkpoint": view.checkpoint.map(|(size, time)| json!({"size": size, "time_us": time})),
        "keeper": shared.keeper.as_ref().map(|keeper| keeper.to_json()),
        "groups": groups,
        "payload_bytes": writer.bytes.load(Ordering::Relaxed),
        "flush_failures": writer.failures.load(Ordering::Relaxed),
        "flush_us": {
            "last": writer.last_flush_us.load(Ordering::Relaxed),
            "mean": writer.flush_us.load(Ordering::Relaxed) / groups.max(1),
        },
        "recovery": {
            "torn_bytes": view.torn_bytes,
            "adopted": view.adopted,
            "damage": view.damage,
        },
    })
}

/// By source: `meters` where it runs, `ledger` where records of it were looked at.
fn sources(shared: &Shared) -> Value {
    let mut sources = Map::new();
    for (name, meters) in shared.source_meters() {
        let meters = serde_json::to_value(meters.read()).unwrap_or_default();
        sources.insert(name, json!({ "meters": meters, "ledger": null }));
    }
    for (name, total) in shared.totals.get() {
        let ledger = json!({
            "received": total.received,
            "parsed": total.parsed,
            "unparsed": total.unparsed,
            "quarantined": total.quarantined,
            "events": total.events,
            "doubles": total.doubles,
            "bytes": total.bytes,
            "last_received_us": total.last_received_us,
            "clock_skew_us": total.clock_skew_us,
        });
        let source = sources
            .entry(name.to_string())
            .or_insert_with(|| json!({ "meters": null, "ledger": null }));
        source["ledger"] = ledger;
    }
    Value::Object(sources)
}

fn disk(shared: &Shared) -> Value {
    shared
        .doors
        .storage
        .space(&shared.folder)
        .map_or(Value::Null, |space| json!({ "free": space.free, "total": space.total }))
}
