"""Each event that is in Kafka begins its trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from kairos.adapters.kafka.producer import Record
from kairos.adapters.traces.port import Span, Traces
from kairos.engine.trace import trace_of_event


class _Head(msgspec.Struct):
    id: str
    type: str
    source: str = ""


class TracedEvents:
    """`clock`: epoch ms. `request`: what the log calls the request that is in hand; None: there is none."""

    def __init__(self, traces: Traces, clock: Callable[[], int], request: Callable[[], str | None]) -> None:
        self._traces, self._clock, self._request = traces, clock, request
        self._head = msgspec.json.Decoder(_Head).decode

    def published(self, records: Sequence[Record], begun: int) -> None:
        """`begun`: when they came."""
        ended, request = self._clock(), self._request()
        for record in records:
            head = self._head(record.value)
            said: dict[str, str | int] = {"kairos.source": head.source, "kairos.event": head.id}
            if request is not None:
                said["kairos.request"] = request
            trace = trace_of_event((record.key or b"").decode(), head.id)
            self._traces.tell(Span(trace, f"event {head.type}", begun, ended, "producer", said, root=True))
