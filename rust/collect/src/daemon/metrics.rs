//! The page for Prometheus (`OpenMetrics` text).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::health::Part;
use super::locked;
use super::shared::Shared;

type Labels = Vec<(&'static str, String)>;

/// Labels that other parts of the platform chose.
type OwnLabels = Vec<(String, String)>;

/// Metrics of one page, registered as they are met.
struct Page(Registry);

impl Page {
    fn counter(&mut self, name: &str, about: &str, value: u64) {
        self.0.register(name, about, ConstCounter::new(value));
    }

    fn gauge(&mut self, name: &str, about: &str, value: u64) {
        self.0.register(name, about, ConstGauge::new(value.cast_signed()));
    }

    /// A counter for each of some labels.
    fn counters(&mut self, name: &str, about: &str, values: impl Iterator<Item = (Labels, u64)>) {
        let family = Family::<Labels, Counter>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, about, family);
    }

    /// A gauge for each of some labels.
    fn gauges(&mut self, name: &str, about: &str, values: impl Iterator<Item = (Labels, f64)>) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, about, family);
    }
}

/// Everything that is measured, as one page.
pub(super) fn page(shared: &Shared) -> Result<String, fmt::Error> {
    let mut page = Page(Registry::with_prefix("bigsec"));
    log(&mut page, shared);
    sources(&mut page, shared);
    let failing = shared.health.failing();
    let parts = Part::ALL.iter().map(|part| {
        let value = if failing.contains(part) { 1.0 } else { 0.0 };
        (vec![("part", part.as_str().to_owned())], value)
    });
    page.gauges("degraded", "Whether a part of the daemon fails", parts);
    own(&mut page, shared);
    let mut text = String::new();
    encode(&mut text, &page.0)?;
    Ok(text)
}

/// What other parts of the platform report, by name: `bigsec_sink_lag_records{sink="siem"}`.
fn own(page: &mut Page, shared: &Shared) {
    let mut families: BTreeMap<String, Vec<(OwnLabels, f64)>> = BTreeMap::new();
    for (name, value) in locked(&shared.gauges).iter() {
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let name = name.strip_prefix("bigsec_").unwrap_or(name).to_owned();
        families.entry(name).or_default().push((labels_of(labels), *value));
    }
    for (name, values) in families {
        let family = Family::<OwnLabels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        page.0.register(name, "Reported by another part of the platform", family);
    }
}

/// The labels of `sink="siem",kind="file"}`.
fn labels_of(text: &str) -> OwnLabels {
    text.trim_end_matches('}')
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

fn log(page: &mut Page, shared: &Shared) {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let writer = &shared.writer;
    let view = locked(&shared.log).clone();
    page.gauge("log_records", "Records that are durable", shared.durable.get());
    page.gauge("log_first_record", "First record still kept", view.first);
    page.gauge("log_segments", "Segments of the log", view.segments as u64);
    page.gauge("log_disk_bytes", "Bytes of the log's segments", view.bytes);
    page.counter("log_groups", "Groups flushed", read(&writer.groups));
    page.counter("log_payload_bytes", "Bytes of the records flushed", read(&writer.bytes));
    page.counter("log_flush_failures", "Flushes that failed", read(&writer.failures));
    page.counter("log_flush_microseconds", "Time spent in flushes", read(&writer.flush_us));
    let queued = writer.queued.load(Ordering::Relaxed);
    page.gauge("queue_batches", "Batches that wait for the log", queued as u64);
    if let Some((size, time)) = view.checkpoint {
        page.gauge("checkpoint_records", "Records under the last checkpoint", size);
        page.gauge(
            "checkpoint_time_microseconds",
            "When it was made, since 1970 UTC",
            time.max(0).cast_unsigned(),
        );
    }
    if let Some(size) = shared.keeper.as_ref().and_then(|keeper| keeper.sent_size()) {
        let about = "Records under the last checkpoint that left this host";
        page.gauge("keeper_records", about, size);
    }
    page.gauge("consumer_lag_records", "Durable and not looked at", shared.lag());
    if let Ok(space) = shared.doors.storage.space(&shared.folder) {
        page.gauge("disk_free_bytes", "Free space where the log lies", space.free);
        page.gauge("disk_bytes", "All space where the log lies", space.total);
    }
}

fn sources(page: &mut Page, shared: &Shared) {
    let meters: Vec<_> = shared
        .source_meters()
        .into_iter()
        .map(|(name, meters)| (vec![("source", name)], meters.read()))
        .collect();
    macro_rules! counted {
        ($($field:ident $about:literal;)*) => {$(
            page.counters(
                concat!("source_", stringify!($field)),
                $about,
                meters.iter().map(|(labels, reading)| (labels.clone(), reading.$field)),
            );
        )*};
    }
    counted! {
        accepted "Connections taken";
        evicted "Idle connections closed to make room";
        timed_out "Connections closed because they were silent";
        records "Records handed to the log";
        bytes "Bytes of those records";
        cut "Records that are not whole";
        continued "Records that go on with the one before";
        doubles "Records that their sender may have sent before";
        kernel_drops "Datagrams that the system dropped";
        errors "Faults of senders, files and the network";
    }
    let refused = meters.iter().flat_map(|(labels, reading)| {
        [
            ("full", reading.refused_full),
            ("address_full", reading.refused_address_full),
            ("descriptors", reading.refused_descriptors),
            ("handshake", reading.refused_handshake),
            ("token", reading.refused_token),
        ]
        .map(|(reason, count)| {
            ([labels.clone(), vec![("reason", reason.to_owned())]].concat(), count)
        })
    });
    page.counters("source_refused", "Connections turned away", refused);
    let open = meters.iter().map(|(labels, reading)| {
        (labels.clone(), u32::try_from(reading.connections).map_or(f64::INFINITY, f64::from))
    });
    page.gauges("source_connections", "Connections or files that are open", open);
    let totals = shared.totals.get();
    let fates = totals.iter().flat_map(|(source, total)| {
        [("parsed", total.parsed), ("unparsed", total.unparsed), ("quarantined", total.quarantined)]
            .map(|(fate, count)| {
                (vec![("source", source.to_string()), ("fate", fate.to_owned())], count)
            })
    });
    page.counters("ledger_records", "What became of the records", fates);
}
