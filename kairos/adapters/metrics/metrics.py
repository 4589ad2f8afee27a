"""The metrics of one process, kept by Prometheus' own client; declared.py says which there are."""

from __future__ import annotations

from collections import Counter as Totals
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

Kind = Literal["counter", "gauge", "histogram"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the buckets of a histogram; 1 s is that of the objective for answers."""

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metric(NamedTuple):
    """`name`: `kairos_<part>_<what>_<unit>`. `labels`: names whose values are few."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


class Metrics:
    """Of one process, or of one in a test: two of them share nothing. Only what is declared can be told.

    May be used from several threads. Raises KeyError for a metric that is not declared here, ValueError for labels that
    are not its own.
    """

    def __init__(self, declared: Iterable[Metric]) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for name, kind, help_, labels in declared:
            if kind == "counter":
                self._counters[name] = Counter(name, help_, labels, registry=self._registry)
            elif kind == "gauge":
                self._gauges[name] = Gauge(name, help_, labels, registry=self._registry)
            else:
                self._histograms[name] = Histogram(name, help_, labels, registry=self._registry, buckets=SECONDS)

    def watch_process(self) -> None:
        """Memory, processor time and open files of this process are told, too: `kairos_process_...`."""
        ProcessCollector(namespace="kairos", registry=self._registry)

    def add(self, metric: Metric, by: float = 1, **labels: str) -> None:
        counter = self._counters[metric.name]
        (counter.labels(**labels) if metric.labels else counter).inc(by)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        gauge = self._gauges[metric.name]
        (gauge.labels(**labels) if metric.labels else gauge).set(value)

    def ask(self, metric: Metric, value: Callable[[], float], **labels: str) -> None:
        """A gauge that is asked for its value whenever somebody reads it."""
        gauge = self._gauges[metric.name]
        (gauge.labels(**labels) if metric.labels else gauge).set_function(value)

    def took(self, metric: Metric, seconds: float, **labels: str) -> None:
        histogram = self._histograms[metric.name]
        (histogram.labels(**labels) if metric.labels else histogram).observe(seconds)

    def value(self, metric: Metric, **labels: str) -> float:
        """The sum over all that have these labels; of a histogram how often something was told."""
        name = f"{metric.name}_count" if metric.kind == "histogram" else metric.name
        found = (sample for family in self._registry.collect() for sample in family.samples if sample.name == name)
        return sum(sample.value for sample in found if labels.items() <= sample.labels.items())

    def totals(self, metric: Metric, label: str, **labels: str) -> Totals[str]:
        """By one label, over all that have the other ones."""
        found: Totals[str] = Totals()
        for family in self._registry.collect():
            for sample in family.samples:
                if sample.name == metric.name and labels.items() <= sample.labels.items():
                    found[sample.labels[label]] += int(sample.value)
        return found

    def text(self) -> bytes:
        """In Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)
