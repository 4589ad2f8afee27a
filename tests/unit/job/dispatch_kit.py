"""`dispatch` with everything that Flink is to it, behind what `evaluate` sends on."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.coupon.pools import Claim, Return
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery
from kairos.engine.gate.budget import Request
from kairos.engine.topics import DECISIONS
from operators.dispatch import DAY, Dispatch
from operators.outlet import Outlet
from operators.rows import REQUESTS
from operators.telemetry import Telemetry

T = 1_763_778_000_000


class Flink:
    """What Flink is to the operator: contexts, three kinds of state of one key, timers, counters."""

    def __init__(self) -> None:
        self.budget: bytes | None = None
        self.waiting: list[bytes] = []
        self.refused: dict[str, int] = {}
        self.written: dict[str, str] = {}
        self.timers: list[int] = []
        self.watermark = 0

    def get_state(self, _descriptor: object) -> Any:
        flink = self

        class Value:
            def value(self) -> bytes | None:
                return flink.budget

            def update(self, value: bytes) -> None:
                flink.budget = value

        return Value()

    def get_list_state(self, _descriptor: object) -> Any:
        flink = self

        class Many:
            def get(self) -> list[bytes]:
                return list(flink.waiting)

            def add(self, value: bytes) -> None:
                flink.waiting.append(value)

            def update(self, values: list[bytes]) -> None:
                flink.waiting = values

        return Many()

    def get_map_state(self, descriptor: Any) -> Any:
        state: dict[str, Any] = self.refused if descriptor.name == "refused" else self.written

        class Map:
            put, contains, get = state.__setitem__, state.__contains__, state.get
            items, remove = state.items, state.__delitem__

        return Map()

    def get_metrics_group(self) -> Flink:
        return self

    def add_group(self, _name: str) -> Flink:
        return self

    def counter(self, _name: str) -> Any:
        return self

    def inc(self, by: int = 1) -> None:
        assert by > 0

    def timer_service(self) -> Flink:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, time: int) -> None:
        self.timers.append(time)


class Operator:
    """`budget`: what activity `a` may send."""

    def __init__(self, budget: int | None) -> None:
        self.flink: Any = Flink()
        self.budget = budget
        self.at_once: list[Any] = []
        self.function = Dispatch(1_000)
        self.function.open(self.flink)
        self._evaluate = Outlet(Telemetry(self.flink), 1_000)

    def send(
        self,
        user: str,
        at: int,
        attempt: int = 1,
        run: str = "",
        shadow: bool = False,
        claims: list[Claim] | None = None,
        units: int = 1,
        **values: str,
    ) -> None:
        record = Record("a", "v", None, "t", user, at, "send", None, "sms", f"o-{user}", {}, {})
        record.shadow = True if shadow else msgspec.UNSET
        delivery = Delivery("a", "v", user, f"o-{user}", attempt, "sms", "t", "1", at, at, at + DAY, values)
        candidate = Candidate(record, delivery, 50, self.budget if attempt == 1 else None, run, claims or [], units)
        self.take(candidate)

    def take(self, candidate: Candidate) -> None:
        """As `evaluate` sends it on."""
        for row in self._evaluate.rows([candidate], None):
            if row[0] == REQUESTS:
                self._take(row[2], row[3])
            else:
                self.at_once.append(row)

    def give_back(self, user: str, at: int, codes: list[Return] | None = None, units: int = 1) -> None:
        self._take(msgspec.msgpack.encode(Request(at, user, f"o-{user}", None, codes or [], units)), at)

    def _take(self, request: bytes, at: int) -> None:
        row: Any = (request, at)
        assert list(self.function.process_element(row, self.flink)) == []

    def advance(self, watermark: int) -> list[tuple[str, dict[str, Any]]]:
        """What went at once, past dispatch, and what comes of every timer that is due, knowing the new watermark."""
        self.flink.watermark = watermark
        due = sorted({time for time in self.flink.timers if time <= watermark})
        self.flink.timers = [time for time in self.flink.timers if time > watermark]
        rows = [*self.at_once, *(row for time in due for row in self.function.on_timer(time, self.flink))]
        self.at_once = []
        return [(row[0], msgspec.json.decode(row[2])) for row in rows]


def outcomes(rows: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(record["user_id"], record["outcome"]) for topic, record in rows if topic == DECISIONS]
