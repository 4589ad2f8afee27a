"""Events against sources.yaml."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from kairos.engine.event import Event, EventError
from kairos.engine.expression.scope import PROP_TYPES
from kairos.engine.rule.model import EventSchema, Source
from kairos.engine.source.schema import FITS, SAID, SchemaChecker

SCHEMA = EventSchema({"order_id": "string", "amount": "number", "city": "string"}, ("order_id", "amount"))
CHECKER = SchemaChecker(
    {
        "shop": Source("shop", {"order": SCHEMA, "login": EventSchema({})}),
        "off": Source("off", {"order": SCHEMA}, enabled=False),
    }
)


def event(source: str = "shop", type_: str = "order", **props: Any) -> Event:
    return Event("e1", type_, 1_763_778_000_000, source, props, "u1")


@pytest.mark.parametrize(
    "taken",
    [
        event(order_id="o1", amount=80),
        event(order_id="o1", amount=0.5, city="sz", undeclared=[1]),
        event(order_id="o1", amount=80, city=None),
        event(type_="login", amount="anything"),
        event(type_="receipt", source=""),
        event(type_="receipt", source="elsewhere"),
    ],
)
def test_taken(taken: Event) -> None:
    CHECKER.check(taken)


@pytest.mark.parametrize(
    ("refused", "reason", "words"),
    [
        (event(source=""), "unknown_source", "missing"),
        (event(source="shpo"), "unknown_source", "'shpo'"),
        (event(source="off", order_id="o1", amount=80), "disabled_source", "'off'"),
        (event(type_="ordr"), "unknown_type", "'ordr'"),
        (event(order_id="o1"), "missing_prop", "'amount'"),
        (event(order_id="o1", amount=None), "missing_prop", "'amount'"),
        (event(order_id="o1", amount=True), "wrong_type", "'amount' must be a number"),
        (event(order_id="o1", amount="80"), "wrong_type", "'amount' must be a number"),
        (event(order_id=5, amount=80), "wrong_type", "'order_id' must be text"),
        (event(order_id="o1", amount=80, city=["sz"]), "wrong_type", "'city' must be text"),
    ],
)
def test_refused(refused: Event, reason: str, words: str) -> None:
    with pytest.raises(EventError) as error:
        CHECKER.check(refused)
    assert error.value.reason == reason
    assert words in error.value.message


VALUES: dict[str, Any] = {
    "text": "a", "empty": "", "int": 5, "whole": 5.0, "float": 0.5, "true": True, "list": [], "object": {},
    "date": "2026-11-02", "no date": "2026-13-02", "compact date": "20261102", "iso": "2026-11-02T10:00:00Z",
    "local": "2026-11-02T10:00:00", "ms": 1_793_620_800_000, "seconds": 1_793_620_800,
}  # fmt: skip
TEXTS = {"text", "empty", "date", "no date", "compact date", "iso", "local"}
TAKEN = {
    "string": TEXTS,
    "number": {"int", "ms", "seconds", "whole", "float"},
    "integer": {"int", "ms", "seconds", "whole"},
    "boolean": {"true"},
    "time": {"int", "ms", "iso"},
    "date": {"date"},
    "list": {"list"},
    "object": {"object"},
}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1_763_778_000, "seconds taken for milliseconds"),
        (1_763_778_000_000_000, "microseconds taken for milliseconds"),
        (1_763_778_000_000_000_000, "nanoseconds taken for milliseconds"),
        (1_763_778_000.5, "epoch milliseconds"),
        (1_763_778_000_000, None),
        (-300_000_000_000, None),
        (0, None),
    ],
)
def test_another_unit_in_a_prop_that_is_a_time(value: float, words: str | None) -> None:
    checker = SchemaChecker({"shop": Source("shop", {"trial": EventSchema({"ends": "time"})})})
    with nullcontext() if words is None else pytest.raises(EventError, match=words):
        checker.check(event(type_="trial", ends=value))


@pytest.mark.parametrize("type_", PROP_TYPES)
def test_types(type_: str) -> None:
    assert {name for name, value in VALUES.items() if FITS[type_](value)} == TAKEN[type_]
    assert SAID[type_]


def test_seconds_in_a_time_prop_are_named() -> None:
    checker = SchemaChecker({"shop": Source("shop", {"e": EventSchema({"seen": "time"})})})
    with pytest.raises(EventError, match=r"^'seen' must be epoch milliseconds") as error:
        checker.check(Event("1", "e", 1_793_620_800_000, "shop", {"seen": 1_793_534_400}))
    assert error.value.message.endswith("; this looks like seconds taken for milliseconds")
