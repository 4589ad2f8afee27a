"""Dispatch without Flink: units spent in the order of event time, refusals remembered and sent back."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery
from operators.dispatch import DAY, REMEMBERED, Dispatch
from operators.rows import DECISIONS, RECEIPTS, Request, deliveries

T = 1_763_778_000_000


class Flink:
    """What Flink is to the operator: contexts, three kinds of state of one key, timers, counters."""

    def __init__(self) -> None:
        self.budget: bytes | None = None
        self.waiting: list[bytes] = []
        self.refused: dict[str, int] = {}
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

    def get_map_state(self, _descriptor: object) -> Any:
        refused = self.refused

        class Map:
            put, contains = refused.__setitem__, refused.__contains__
            items, remove = refused.items, refused.__delitem__

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
        self.function = Dispatch()
        self.function.open(self.flink)

    def send(self, user: str, at: int, attempt: int = 1) -> None:
        record = Record("a", "v", None, "t", user, at, "send", None, "sms", f"o-{user}", {}, {})
        delivery = Delivery("a", "v", user, f"o-{user}", attempt, "sms", "t", "1", at, at, at + DAY, {})
        candidate = Candidate(record, delivery, 50, self.budget if attempt == 1 else None)
        self._take(Request(at, user, f"o-{user}", candidate))

    def give_back(self, user: str, at: int) -> None:
        self._take(Request(at, user, f"o-{user}", None))

    def _take(self, request: Request) -> None:
        row: Any = (msgspec.msgpack.encode(request), request.at)
        assert list(self.function.process_element(row, self.flink)) == []

    def advance(self, watermark: int) -> list[tuple[str, dict[str, Any]]]:
        """Every timer that is due fires, knowing the new watermark."""
        self.flink.watermark = watermark
        due = sorted({time for time in self.flink.timers if time <= watermark})
        self.flink.timers = [time for time in self.flink.timers if time > watermark]
        rows = [row for time in due for row in self.function.on_timer(time, self.flink)]
        return [(row[0], msgspec.json.decode(row[2])) for row in rows]


def outcomes(rows: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(record["user_id"], record["outcome"]) for topic, record in rows if topic == DECISIONS]


def test_candidates_wait_for_the_watermark_and_go_in_the_order_of_time_and_user() -> None:
    operator = Operator(budget=2)
    for user, at in (("u3", T + 5), ("u2", T), ("u1", T)):
        operator.send(user, at)
    assert operator.advance(T - 1) == []
    assert outcomes(operator.advance(T + 4)) == [("u1", "send"), ("u2", "send")]
    assert outcomes(operator.advance(T + 5)) == [("u3", "suppress")]


def test_a_send_goes_to_its_channel_and_a_refusal_back_to_its_user() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.send("u2", T)
    rows = operator.advance(T)
    assert [topic for topic, _ in rows] == [DECISIONS, deliveries("sms"), DECISIONS, RECEIPTS]
    assert rows[2][1]["reason"] == "budget"
    assert rows[3][1] == {
        "type": "receipt", "user_id": "u2", "time": T,
        "props": {"activity": "a", "occurrence": "o-u2", "status": "released"},
    }  # fmt: skip


def test_a_unit_that_comes_back_is_free_from_then_on() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.advance(T)
    operator.give_back("u1", T + 5)
    for user, at in (("u2", T + 5), ("u3", T + 6), ("u4", T + 7)):
        operator.send(user, at)
    assert outcomes(operator.advance(T + 9)) == [("u2", "suppress"), ("u3", "send"), ("u4", "suppress")]


def test_spent_and_given_back_at_one_instant() -> None:
    operator = Operator(budget=1)
    operator.give_back("u1", T)
    operator.send("u1", T)
    operator.send("u2", T + 1)
    assert outcomes(operator.advance(T + 1)) == [("u1", "send"), ("u2", "send")]


def test_what_was_refused_has_nothing_to_give_back_and_no_fallback() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.send("u2", T)
    operator.advance(T)
    operator.give_back("u2", T + 1)
    operator.send("u2", T + 2, attempt=2)
    operator.send("u3", T + 3)
    assert outcomes(operator.advance(T + 3)) == [("u3", "suppress")]


def test_refusals_are_forgotten_when_no_fallback_can_come_any_more() -> None:
    operator = Operator(budget=0)
    operator.send("u1", T)
    operator.advance(T)
    operator.advance(T + REMEMBERED - DAY)
    assert operator.flink.refused == {"o-u1": T}
    operator.advance(T + REMEMBERED + DAY)
    assert operator.flink.refused == {}


def test_without_a_budget_all_go() -> None:
    operator = Operator(budget=None)
    operator.send("u1", T)
    operator.send("u2", T)
    assert outcomes(operator.advance(T)) == [("u1", "send"), ("u2", "send")]
