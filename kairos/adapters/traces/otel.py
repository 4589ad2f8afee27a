"""Spans through OpenTelemetry's SDK, to a collector over OTLP/HTTP."""

from __future__ import annotations

import logging
import threading

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from kairos.adapters.metrics.declared import LOST_SPANS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.traces.port import Span

CLOSE_SECONDS = 2.0
"""How long the end of a process waits for a collector: OpenTelemetry itself would wait for half a minute."""
_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_MS = 1_000_000
"""Nanoseconds."""

log = logging.getLogger(__name__)


def open_otel(part: str, share: float, metrics: Metrics) -> OtelTraces:
    """Where to is in the environment: the exporter reads it. Nothing is connected yet. Raises ValueError for what it
    cannot use there."""
    return OtelTraces(part, share, BatchSpanProcessor(OTLPSpanExporter()), metrics)


class OtelTraces:
    """One thread. `share`: of all traces; chosen by their ids, so every process keeps the same ones."""

    def __init__(self, part: str, share: float, processor: SpanProcessor, metrics: Metrics) -> None:
        self._metrics, self._failing = metrics, False
        self._ids = _Ids()
        resource = Resource.create({"service.name": f"kairos-{part}"})
        self._provider = TracerProvider(
            TraceIdRatioBased(share), resource, shutdown_on_exit=False, id_generator=self._ids
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("kairos")

    def tell(self, span: Span) -> None:
        try:
            self._tell(span)
            self._failing = False
        except Exception:
            if not self._failing:
                log.exception("OpenTelemetry does not take what it is told; that is counted, and the work goes on")
            self._failing = True
            self._metrics.add(LOST_SPANS)

    def _tell(self, span: Span) -> None:
        trace = int(span.trace, 16)
        self._ids.root = trace if span.root else None
        made = self._tracer.start_span(
            span.name,
            None if span.root else _after(trace),
            _KINDS[span.kind],
            dict(span.attributes),
            start_time=span.begun * _MS,
        )
        made.end(max(span.begun, span.ended) * _MS)

    def close(self) -> None:
        """In a thread that may stay behind: a collector that does not answer holds up no end."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


class _Ids(RandomIdGenerator):
    """`root`: the trace that the next span begins; None: it goes on with one."""

    root: int | None = None

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self.root is None else self.root

    def generate_span_id(self) -> int:
        return super().generate_span_id() if self.root is None else _root_of(self.root)


def _root_of(trace: int) -> int:
    """The id of a trace's first span, which the others have to know who never heard of it."""
    return trace & (2**64 - 1) or 1


def _after(trace: int) -> Context:
    return set_span_in_context(
        NonRecordingSpan(
            SpanContext(trace, _root_of(trace), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        )
    )
