"""What the server counts about itself and its store, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bigsec import __version__
from bigsec.detect import Summary

__all__ = ["MEDIA_TYPE", "Measures"]

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)


class _StoreNumbers(Collector):
    def __init__(self, numbers: Summary, rules: int | None) -> None:
        self._numbers = numbers
        self._rules = rules

    def collect(self) -> Iterator[Metric]:
        """The gauges of one moment."""
        levels = GaugeMetricFamily(
            "bigsec_incidents", "Incidents in the store, by level.", labels=["level"]
        )
        for level, count in self._numbers.levels.items():
            levels.add_metric([level], count)
        yield levels
        yield GaugeMetricFamily("bigsec_signals", "Signals in the store.", self._numbers.signals)
        yield GaugeMetricFamily("bigsec_events", "Events in the store.", self._numbers.events)
        if self._numbers.last is not None:
            told = "Time of the latest signal, in seconds since 1970."
            latest = self._numbers.last.timestamp()
            yield GaugeMetricFamily("bigsec_latest_signal_timestamp_seconds", told, latest)
        if self._rules is not None:
            yield GaugeMetricFamily("bigsec_rules", "Rules loaded.", self._rules)
        build = GaugeMetricFamily("bigsec_build_info", "Version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build


class Measures:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "bigsec_http_request_seconds",
            "How long requests took, by route, method and status.",
            ["route", "method", "status"],
            buckets=_BOUNDS,
            registry=self._registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. route is the pattern, so that strangers cannot add labels."""
        known = method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        self._seconds.labels(route, known, str(status)).observe(seconds)

    def text(self, numbers: Summary, rules: int | None) -> bytes:
        """Everything, in the text format of Prometheus."""
        of_store = CollectorRegistry()
        of_store.register(_StoreNumbers(numbers, rules))
        return generate_latest(of_store) + generate_latest(self._registry)
