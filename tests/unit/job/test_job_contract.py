"""The contract of the topics, record by record."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.engine.event import EventError
from kairos.engine.rule.model import EventSchema, Source
from operators.contract import Contract

T = 1_763_778_000_000
HOUR = 3_600_000


def line(**changes: Any) -> bytes:
    event = {"id": "e1", "type": "order_created", "user_id": "u1", "time": T, "source": "shop", "props": {"amount": 5}}
    return msgspec.json.encode(event | changes)


def refused(intake: Contract, key: str | None, value: bytes, timestamp: int) -> str:
    with pytest.raises(EventError) as raised:
        intake.accept(key, value, timestamp)
    return raised.value.reason


def test_a_record_that_keeps_the_contract() -> None:
    event = Contract(None, HOUR).accept("u1", line(), T)
    assert (event.user_id, event.time, event.props) == ("u1", T, {"amount": 5})


@pytest.mark.parametrize(
    ("key", "value", "timestamp", "reason"),
    [
        ("u2", line(), T, "wrong_key"),
        (None, line(), T, "wrong_key"),
        ("u1", line(), T + 1, "wrong_timestamp"),
        ("u1", line(time="2025-11-22T02:20:00Z"), T - 1, "wrong_timestamp"),
        ("u1", line()[:-1], T, "not_json"),
        ("u1", b"x" * 1_000_001, T, "too_large"),
    ],
)
def test_a_record_that_does_not(key: str | None, value: bytes, timestamp: int, reason: str) -> None:
    assert refused(Contract(None, HOUR), key, value, timestamp) == reason


def test_an_event_from_the_future() -> None:
    intake = Contract(lambda: T / 1000, HOUR)
    assert intake.accept("u1", line(time=T + HOUR), T + HOUR).time == T + HOUR
    assert refused(intake, "u1", line(time=T + HOUR + 1), T + HOUR + 1) == "future"
    assert refused(intake, "u1", line(time=T + HOUR + 1), T) == "future"


def test_what_the_sources_declare() -> None:
    intake = Contract(None, HOUR)
    intake.expect({"shop": Source("shop", {"order_created": EventSchema({"amount": "number"}, ("amount",))})})
    assert intake.accept("u1", line(), T).type == "order_created"
    assert refused(intake, "u1", line(source="app"), T) == "unknown_source"
    assert refused(intake, "u1", line(type="login"), T) == "unknown_type"
    assert refused(intake, "u1", line(props={}), T) == "missing_prop"
    assert refused(intake, "u1", line(props={"amount": "5"}), T) == "wrong_type"
    intake.expect(None)
    assert intake.accept("u1", line(type="login"), T).type == "login"
