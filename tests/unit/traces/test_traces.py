"""One event from the gateway to the provider: every part of the way tells of the same trace, and of nobody's name."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `traces` is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kairos.adapters.channels.channel import Accepted, Retry
from kairos.adapters.metrics.declared import LOST_SPANS, TRACES
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.traces.otel import OtelTraces
from kairos.adapters.traces.port import ENDPOINTS, SHARE, Span, Traces, open_traces
from kairos.apps.delivery.traced import DeliveryTraces
from kairos.apps.logs import current
from kairos.engine.effect import Candidate
from kairos.engine.event import decode
from kairos.engine.trace import trace_of_event
from kairos.engine.user.state import UserState
from kairos.usecases.intake.intake import Intake
from kairos.usecases.intake.traced import TracedEvents
from tests.access.gateway.gateway_kit import Kit, event
from tests.delivery.kit import BASE, Script, World
from tests.delivery.virtual_loop import run
from tests.engine_kit import engine_of, rules
from tests.unit.job.dispatch_kit import Operator

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
NUDGE = """
activity: nudge
trigger:
  pattern: [{event: order_created, as: order}, {absent: view}]
  within: 10m
limits: {caps: []}
send: [{channel: sms, template: t}]
"""
TEN_MINUTES = 600_000


class Collector:
    """What all processes have told."""

    def __init__(self, share: float = 1.0) -> None:
        self.exporter = InMemorySpanExporter()
        self._share = share

    def of(self, part: str) -> Traces:
        return OtelTraces(part, self._share, SimpleSpanProcessor(self.exporter), Metrics(TRACES))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}


def gateway(traces: Traces) -> Kit:
    kit = Kit()
    kit.now = BASE - TEN_MINUTES
    published = TracedEvents(traces, lambda: kit.now, current).published
    intake = Intake(kit.producer, kit.identity, kit.metrics, lambda: kit.now, published=published)
    kit.parts = kit.parts._replace(intake=intake)
    kit.serve()
    kit.slow(30)
    return kit


def decided(value: bytes) -> bytes:
    """The delivery that engine and dispatch make of an event, ten minutes later."""
    engine, state, happened = engine_of(rules(NUDGE)), UserState(), decode(value)
    effects = [
        *engine.on_event("u1", state, happened, happened.time),
        *engine.on_time("u1", state, happened.time + TEN_MINUTES),
    ]
    (candidate,) = [effect for effect in effects if isinstance(effect, Candidate)]
    operator = Operator(None)
    operator.take(candidate)
    return json.dumps(dict(operator.advance(happened.time + TEN_MINUTES))["deliveries.sms"]).encode()


def delivered(traces: Traces, delivery: bytes, provider: Script) -> World:
    world = World(provider, backoff=1_000)
    known = world.tools

    def tools(*given: Any) -> Any:
        made = known(*given)
        made.traces = DeliveryTraces(traces)
        return made

    world.tools = tools  # type: ignore[method-assign]
    run(world.deliver(delivery))
    return world


def test_one_event_from_the_gateway_to_the_provider() -> None:
    collector = Collector()
    kit = gateway(collector.of("gateway"))
    traceparent = f"00-{CALLER}-b7ad6b7169203331-01"
    assert kit.post(event(time=BASE - TEN_MINUTES), headers={"traceparent": traceparent}).is_success
    (record,) = kit.producer.records
    provider = Script([Retry("busy"), Accepted()])
    delivered(collector.of("deliver-sms"), decided(record.value), provider)

    assert len(provider.calls) == 2
    spans = collector.exporter.get_finished_spans()
    assert [span.name for span in spans] == [
        "event order_created", "call sms", "call sms", "decide nudge", "deliver sms",
    ]  # fmt: skip
    first, *others = spans
    assert {f"{span.context.trace_id:032x}" for span in spans} == {trace_of_event("u1", "e1")}
    assert first.parent is None
    assert {span.parent.span_id for span in others if span.parent} == {first.context.span_id}
    assert len({span.context.span_id for span in spans}) == len(spans)
    assert first.attributes is not None
    assert first.attributes["kairos.request"] == CALLER
    assert [span.attributes and span.attributes.get("kairos.outcome") for span in spans] == [
        None, "retry", "accepted", None, None,
    ]  # fmt: skip
    assert _ms(first) == (BASE - TEN_MINUTES, BASE - TEN_MINUTES + 30)
    assert _ms(collector.spans["decide nudge"])[0] == BASE
    assert _ms(collector.spans["decide nudge"])[1] == _ms(collector.spans["deliver sms"])[0]
    assert [span.resource.attributes["service.name"] for span in (first, spans[-1])] == [
        "kairos-gateway", "kairos-deliver-sms",
    ]  # fmt: skip
    told = " ".join(str(dict(span.attributes or {})) for span in spans)
    assert "u1" not in told.replace("deliver", "")


def _ms(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time // 1_000_000, span.end_time // 1_000_000


def test_all_processes_keep_the_same_share_of_traces() -> None:
    collector = Collector(0.3)
    kit = gateway(collector.of("gateway"))
    many = [event(id=f"e{number}", user_id=f"u{number}") for number in range(200)]
    assert kit.post(many).is_success
    kept = {span.context.trace_id for span in collector.exporter.get_finished_spans()}
    assert 30 < len(kept) < 90
    other = Collector(0.3)
    again = gateway(other.of("bridge"))
    again.post(many)
    assert {span.context.trace_id for span in other.exporter.get_finished_spans()} == kept


def test_what_is_refused_has_no_trace() -> None:
    collector = Collector()
    kit = gateway(collector.of("gateway"))
    kit.post([event(), event(id="bad", props={})])
    assert [dict(span.attributes or {})["kairos.event"] for span in collector.exporter.get_finished_spans()] == ["e1"]


def test_a_collector_hears_of_it_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """As protobuf, of the version that Flink pins."""
    heard: list[tuple[str, bytes]] = []

    class Collects(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_said: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Collects) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv(ENDPOINTS[1], f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        traces = open_traces("gateway", Metrics(TRACES))
        assert traces is not None
        traces.tell(Span(CALLER, "event order", BASE, BASE + 30, "producer", {"kairos.source": "shop"}, root=True))
        traces.close()
        server.shutdown()
    ((path, body),) = heard
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    (span,) = resource.scope_spans[0].spans
    assert path == "/v1/traces"
    assert (span.trace_id.hex(), span.name, span.kind) == (CALLER, "event order", 4)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 30_000_000


def test_off_by_default_and_on_where_the_environment_says_so() -> None:
    metrics = Metrics(TRACES)
    assert open_traces("gateway", metrics, {}) is None
    traces = open_traces("gateway", metrics, {ENDPOINTS[1]: "http://127.0.0.1:1", SHARE: "0.5"})
    assert isinstance(traces, OtelTraces)
    traces.close()
    for wrong in ("half", "2", "-1"):
        with pytest.raises(SettingsError, match=SHARE):
            open_traces("gateway", metrics, {ENDPOINTS[0]: "http://127.0.0.1:1", SHARE: wrong})


def test_what_the_environment_asks_for_and_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kairos.adapters.traces.otel", None)
    for name in ENDPOINTS:
        with pytest.raises(SettingsError, match=rf"{name} is set, .*\[apps,traces\]"):
            open_traces("gateway", Metrics(TRACES), {name: "http://127.0.0.1:1"})


def test_what_opentelemetry_cannot_use_of_the_environment_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "-5")
    with pytest.raises(SettingsError, match="schedule_delay"):
        open_traces("gateway", Metrics(TRACES), {ENDPOINTS[1]: "http://127.0.0.1:1"})


class Broken(SpanProcessor):
    """`shutdown` waits for a collector that never answers."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("no memory")

    def shutdown(self) -> None:
        self.let_go.wait()


def test_a_message_that_was_sent_stays_sent_whatever_traces_raise() -> None:
    metrics = Metrics(TRACES)
    kit = gateway(OtelTraces("gateway", 1.0, Broken(), metrics))
    assert kit.post(event(time=BASE - TEN_MINUTES)).is_success
    (record,) = kit.producer.records
    provider = Script([Accepted()])
    world = delivered(OtelTraces("deliver-sms", 1.0, Broken(), metrics), decided(record.value), provider)
    assert len(provider.calls) == 1
    assert [row.state for row in world.ledger.rows.values()] == ["sent"]
    assert not world.letters()
    assert metrics.value(LOST_SPANS) == 4


def test_a_collector_that_is_away_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.adapters.traces.otel.CLOSE_SECONDS", 0.01)
    away = Broken()
    OtelTraces("gateway", 1.0, away, Metrics(TRACES)).close()
    assert not away.let_go.is_set()
    away.let_go.set()
