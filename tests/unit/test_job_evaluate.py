"""The hot operator without Flink: what it keeps, which timers it asks for, and what it survives."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from kairos.engine.engine import Engine
from kairos.engine.moment import Settings
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.state_codec import StateCodec
from kairos.engine.user_state import UserState
from operators.evaluate import Evaluate, EvaluateSettings
from operators.rows import DEAD_LETTERS, DECISIONS
from operators.rules import Announcement, Shipped

T = 1_763_778_000_000
MINUTE = 60_000


def unpaid(minutes: int = 10) -> RuleSet:
    steps = (Step("event", ("order_created",), "order"), Step("absent", ("order_paid",), "order_paid"))
    return RuleSet({"unpaid": Activity("unpaid", Pattern(steps, within=minutes * MINUTE), state="live")})


class Flink:
    """Everything that Flink is to the operator: contexts, keyed and broadcast state, timers, counters."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.key = ""
        self.watermark = 0
        self.timers: list[int] = []
        self.counted: Counter[str] = Counter()
        self.broadcast: dict[str, bytes] = {}
        self.group = ""

    # runtime context and metrics
    def get_state(self, _descriptor: object) -> Flink:
        return self

    def get_metrics_group(self) -> Flink:
        return self

    def add_group(self, name: str) -> Flink:
        self.group = name
        return self

    def counter(self, name: str) -> Any:
        full = f"{self.group}.{name}"
        counted = self.counted

        class One:
            def inc(self, by: int = 1) -> None:
                counted[full] += by

        return One()

    # value state
    def value(self) -> bytes | None:
        return self.values.get(self.key)

    def update(self, value: bytes) -> None:
        self.values[self.key] = value

    def clear(self) -> None:
        self.values.pop(self.key, None)

    # broadcast state
    def get(self, name: str) -> bytes | None:
        return self.broadcast.get(name)

    def put(self, name: str, value: bytes) -> None:
        self.broadcast[name] = value

    # contexts
    def get_broadcast_state(self, _descriptor: object) -> Flink:
        return self

    def timer_service(self) -> Flink:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, time: int) -> None:
        self.timers.append(time)

    def get_current_key(self) -> str:
        return self.key


class Operator:
    def __init__(self, rules: RuleSet) -> None:
        self.flink: Any = Flink()
        shipped = msgspec.msgpack.encode(Shipped(Release(1, rules), 100))
        self.function = Evaluate(shipped, EvaluateSettings(Settings(), 3_600_000, 1_000), None, lambda: T / 1000)
        self.function.open(self.flink)

    def event(self, user: str, kind: str, time: int, watermark: int = 0) -> list[tuple[str, dict[str, Any]]]:
        self.flink.key, self.flink.watermark = user, watermark
        value = {"id": f"{user}{kind}{time}", "type": kind, "user_id": user, "time": time, "source": "shop"}
        record = (user, msgspec.json.encode(value), time, "events.shop/0@1")
        return shown(self.function.process_element(record, self.flink))  # type: ignore[arg-type]

    def state(self, user: str) -> UserState:
        return StateCodec().decode(self.flink.values[user])

    def timer(self, user: str, time: int, watermark: int) -> list[tuple[str, dict[str, Any]]]:
        self.flink.key, self.flink.watermark = user, watermark
        return shown(self.function.on_timer(time, self.flink))

    def release(self, rules: RuleSet, effective_at: int) -> None:
        announcement = Announcement(Release(2, rules, effective_at), 100, effective_at, shipped=False)
        assert not list(self.function.process_broadcast_element(msgspec.msgpack.encode(announcement), self.flink))


def shown(rows: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(topic, msgspec.json.decode(value)) for topic, _, value, _ in rows]


def test_an_order_waits_for_one_timer_and_is_decided_then() -> None:
    operator = Operator(unpaid())
    assert operator.event("u1", "order_created", T) == []
    assert operator.flink.timers == [T + 10 * MINUTE]
    operator.event("u1", "order_created", T + MINUTE)
    assert operator.flink.timers == [T + 10 * MINUTE]
    ((topic, record),) = operator.timer("u1", T + 10 * MINUTE, T + 10 * MINUTE)
    assert (topic, record["outcome"], record["at"]) == (DECISIONS, "match", T + 10 * MINUTE)
    assert operator.flink.timers[-1] == T + 11 * MINUTE


def test_an_event_that_nothing_reads_touches_nothing() -> None:
    operator = Operator(unpaid())
    assert operator.event("u1", "view", T) == []
    assert (operator.flink.values, operator.flink.timers) == ({}, [])


def failing(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Engine, method, fail)


def test_a_failing_engine_costs_the_event_and_leaves_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(unpaid())
    operator.event("u1", "order_created", T)
    before = operator.state("u1")
    with monkeypatch.context() as patched:
        failing(patched, "on_event")
        ((topic, letter),) = operator.event("u1", "order_paid", T + MINUTE)
        failing(patched, "on_time")
        assert operator.timer("u1", T + 10 * MINUTE, T + 10 * MINUTE) == []
    assert (topic, letter["reason"], letter["message"]) == (DEAD_LETTERS, "engine_error", "ZeroDivisionError: oops")
    assert operator.state("u1") == msgspec.structs.replace(before, timer=0)
    assert operator.flink.counted["engine.failed"] == 2
    assert operator.event("u1", "order_paid", T + MINUTE, watermark=T + 11 * MINUTE) == []


def test_what_was_due_when_the_engine_failed_is_due_at_the_user_s_next_event(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(unpaid())
    operator.event("u1", "order_created", T)
    with monkeypatch.context() as patched:
        failing(patched, "on_time")
        assert operator.timer("u1", T + 10 * MINUTE, T + 10 * MINUTE) == []
    assert operator.flink.timers == [T + 10 * MINUTE]
    rows = operator.event("u1", "order_created", T + 11 * MINUTE, watermark=T + 10 * MINUTE)
    assert [(topic, record["at"]) for topic, record in rows] == [(DECISIONS, T + 10 * MINUTE)]
    assert operator.flink.timers == [T + 10 * MINUTE, T + 21 * MINUTE]


def test_what_was_due_when_the_engine_failed_is_due_at_the_user_s_next_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(unpaid())
    operator.event("u1", "order_created", T + 5 * MINUTE)
    operator.event("u1", "order_created", T)  # due earlier: two timers are registered by now
    assert operator.flink.timers == [T + 15 * MINUTE, T + 10 * MINUTE]
    with monkeypatch.context() as patched:
        failing(patched, "on_time")
        assert operator.timer("u1", T + 10 * MINUTE, T + 10 * MINUTE) == []
    rows = operator.timer("u1", T + 15 * MINUTE, T + 15 * MINUTE)
    assert [record["at"] for _, record in rows] == [T + 10 * MINUTE, T + 15 * MINUTE]


def test_a_timer_left_behind_that_fails_leaves_the_registered_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(unpaid())
    operator.event("u1", "order_created", T)
    before = dict(operator.flink.values)
    failing(monkeypatch, "on_time")
    assert operator.timer("u1", T + MINUTE, T + MINUTE) == []
    assert operator.flink.values == before


def test_a_release_is_in_force_from_its_time_on() -> None:
    operator = Operator(unpaid(minutes=10))
    operator.event("before", "order_created", T)
    operator.release(unpaid(minutes=1), T + MINUTE)
    operator.event("after", "order_created", T + 2 * MINUTE)
    assert operator.flink.timers[-1] == T + 3 * MINUTE
    assert operator.flink.counted["rules.adopted"] == 1
    assert operator.flink.broadcast.keys() == {"newest", "before", "submitted"}


@pytest.mark.parametrize("value", [b"", b"\x00", b"no release"])
def test_a_broken_release_is_refused_and_the_one_in_force_stays(value: bytes) -> None:
    operator = Operator(unpaid())
    assert list(operator.function.process_broadcast_element(value, operator.flink)) == []
    assert operator.flink.counted["rules.refused"] == 1
    operator.event("u1", "order_created", T)
    assert operator.flink.timers == [T + 10 * MINUTE]


def test_what_an_error_says_is_not_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It may be of the user's data; where it happened is enough."""
    number = "+4477" + "00900123"

    def fail(*_arguments: object) -> None:
        raise ValueError(number)

    operator = Operator(unpaid())
    monkeypatch.setattr(Engine, "on_event", fail)
    operator.event("u1", "order_created", T)
    assert "ValueError" in caplog.text
    assert "operators/evaluate.py" in caplog.text
    assert number not in caplog.text
