"""What a worker tells of a delivery's trace. Nothing in it says who it was for."""

from __future__ import annotations

from kairos.adapters.traces.port import Kind, Span, Traces
from kairos.engine.effect import Delivery


class DeliveryTraces:
    """`traces` None: nothing is told. Times are epoch ms."""

    def __init__(self, traces: Traces | None = None) -> None:
        self._traces = traces

    def called(self, delivery: Delivery, begun: int, ended: int, outcome: str) -> None:
        """The provider."""
        self._tell(delivery, f"call {delivery.channel}", begun, ended, "client", outcome=outcome)

    def ended(self, delivery: Delivery, key: str, received: int, ended: int, state: str) -> None:
        """It was decided at its `at`, has come here when it was `received`, and has its final row."""
        decided: dict[str, str | int] = {"activity": delivery.activity, "version": delivery.version}
        self._tell(delivery, f"decide {delivery.activity}", delivery.at, received, "internal", **decided)
        self._tell(delivery, f"deliver {delivery.channel}", received, ended, "consumer", key=key, state=state)

    def _tell(self, delivery: Delivery, name: str, begun: int, ended: int, kind: Kind, **said: str | int) -> None:
        if self._traces is not None and delivery.trace:
            told = {"attempt": delivery.attempt, **said}
            attributes = {f"kairos.{key}": value for key, value in told.items()}
            self._traces.tell(Span(delivery.trace, name, begun, ended, kind, attributes))
