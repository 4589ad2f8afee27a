"""The hot operator without Flink: what it keeps, which timers it asks for, and what it survives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.engine.catalog.item import Follow, Load, Word
from kairos.engine.catalog.spec import Catalog
from kairos.engine.dead_letter import MOST_KEY, cut
from kairos.engine.engine import Engine
from kairos.engine.event import FORGET, LOOK
from kairos.engine.loss import Loss, loss_of
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import activity_version
from kairos.engine.topics import DEAD_LETTERS, DECISIONS
from operators.contract import Contract
from operators.rows import WORDS
from tests.unit.job.evaluate_kit import Operator, T, shown

MINUTE = 60_000


def unpaid(minutes: int = 10) -> RuleSet:
    steps = (Step("event", ("order_created",), "order"), Step("absent", ("order_paid",), "order_paid"))
    return RuleSet({"unpaid": Activity("unpaid", Pattern(steps, within=minutes * MINUTE), state="live")})


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


@pytest.mark.parametrize("key", ["u1", None, "k" * 1_000_000])
def test_a_record_without_value_is_a_dead_letter(key: str | None) -> None:
    operator = Operator(unpaid())
    ((topic, letter),) = operator.record(key, None)
    assert (topic, letter["reason"], letter["size"], letter["value"]) == (DEAD_LETTERS, "no_value", 0, "")
    assert letter["key"] == (key and cut(key, MOST_KEY))


def test_so_is_whatever_a_record_does_to_those_who_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(unpaid())
    monkeypatch.setattr(Contract, "accept", lambda *_: 1 / 0)
    ((topic, letter),) = operator.record("u1", b"{}")
    assert (topic, letter["reason"]) == (DEAD_LETTERS, "engine_error")


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


def test_a_shadow_that_nobody_knows_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """As a folder that is edited by hand may name one; once it is known, nothing is said."""
    operator = Operator(unpaid(minutes=10))
    known = activity_version(unpaid(minutes=10).activities["unpaid"])
    operator.release(on_trial(unpaid(minutes=1), known), T)
    assert "shadows.refused" not in operator.flink.counted
    operator.release(on_trial(unpaid(minutes=2), "0123456789abcdef"), T + MINUTE)
    assert operator.flink.counted["shadows.refused"] == 1
    assert "unpaid: shadow: no version 0123456789abcdef is known" in caplog.text
    operator.event("u1", "order_created", T + 2 * MINUTE)
    assert operator.flink.timers[-1] == T + 4 * MINUTE, "the activity itself decides"


def on_trial(rules: RuleSet, version: str) -> RuleSet:
    activities = {name: msgspec.structs.replace(one, shadow=version) for name, one in rules.activities.items()}
    return msgspec.structs.replace(rules, activities=activities)


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


def test_a_loss_is_told() -> None:
    operator = Operator(unpaid())
    loss = Loss("kairos", "events.shop", 3, 5, 17)
    rows = shown(operator.function.process_broadcast_element(msgspec.msgpack.encode(loss), operator.flink))
    ((topic, letter),) = rows
    assert (topic, letter["reason"], letter["origin"], letter["ts"]) == (DEAD_LETTERS, "lost", "events.shop/3@5", T)
    assert letter["message"] == "records 5 to 17 of events.shop/3 were deleted before kairos had read them"
    assert loss_of(letter["value"].encode()) == loss


def test_of_a_user_who_is_forgotten_nothing_is_kept() -> None:
    operator = Operator(unpaid())
    operator.event("u1", "order_created", T, T)
    operator.event("u2", "order_created", T, T)
    assert operator.event("u1", FORGET, T + 1, T) == []
    assert operator.flink.values.keys() == {"u2"}
    assert operator.timer("u1", T + 10 * MINUTE, T + 10 * MINUTE) == []
    assert operator.flink.values.keys() == {"u2"}


def test_of_a_stranger_who_is_looked_at_nothing_is_kept() -> None:
    operator = Operator(unpaid())
    assert operator.event("u1", LOOK, T, T) == []
    assert (operator.flink.values, operator.flink.timers) == ({}, [])


def test_what_events_say_of_items_goes_to_the_catalog_whoever_reads_them() -> None:
    rules = msgspec.structs.replace(
        unpaid(), catalogs={"shop": Catalog("sku", {"price": "number"}, {"order_created": 10 * MINUTE})}
    )
    operator = Operator(rules)
    for props, kind, word in (
        ({"sku": "p1"}, "order_created", Follow(T, "u1", T + 10 * MINUTE, 100_000)),
        ({"sku": 7, "catalog": "shop", "price": 3}, "catalog.item", Load(T, {"sku": 7}, {"price": 3}, ("", 0, "e1"))),
    ):
        value = {"id": "e1", "type": kind, "user_id": "u1", "time": T, "props": props}
        operator.flink.key = "u1"
        row: Any = ("u1", msgspec.json.encode(value), T, "events.shop/0@1")
        ((topic, key, said, at),) = operator.function.process_element(row, operator.flink)
        assert (topic, key, at) == (WORDS, f"shop/{props['sku']}", T)
        assert msgspec.msgpack.decode(said, type=Word) == word
    assert list(operator.flink.values) == ["u1"]
    assert not operator.event("u1", "login", T)
