"""Events against sources.yaml."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.event import Event, EventError
from kairos.engine.event_schema import SchemaChecker
from kairos.engine.rule.model import EventSchema, Source

TYPES = ("string", "number", "integer", "boolean", "time", "date", "list", "object")
SHOP = Source("shop", {"order": EventSchema({"amount": "number", "id": "string"}, ("id",)), "login": EventSchema({})})
OLD = Source("old", {"order": EventSchema({})}, enabled=False)


def event(source: str = "shop", event_type: str = "order", **props: Any) -> Event:
    return Event("e1", event_type, 1_763_778_000_000, source, props, "u1")


def refusal(sources: dict[str, Source] | None, checked: Event) -> tuple[str, str] | None:
    try:
        SchemaChecker(sources).check(checked)
    except EventError as error:
        return error.reason, error.message
    return None


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (event(id="o1"), None),
        (event(id="o1", amount=3.5, undeclared=[1]), None),
        (event(id="o1", amount=None), None),
        (event(event_type="login", anything=1), None),
        (event(source="", event_type="receipt"), None),
        (event(), ("missing_prop", "'id' of order is missing")),
        (event(id=None), ("missing_prop", "'id' of order is missing")),
        (event(amount="much"), ("missing_prop", "'id' of order is missing")),
        (event(id="o1", amount="80"), ("bad_prop", "'amount' of order must be a number")),
        (event(source=""), ("unknown_source", "'source' is missing")),
        (event(source="../shop"), ("unknown_source", "there is no source '../shop'; there are shop, old")),
        (event(source="old"), ("source_off", "the source old is switched off")),
        (event(event_type="refund"), ("unknown_type", "the source shop declares no event 'refund'")),
    ],
)
def test_what_is_refused_and_why(checked: Event, expected: tuple[str, str] | None) -> None:
    assert refusal({"shop": SHOP, "old": OLD}, checked) == expected


def test_without_sources_everything_passes() -> None:
    assert refusal(None, event(source="", event_type="anything")) is None


@pytest.mark.parametrize(
    ("value", "fitting"),
    [
        ("text", {"string"}),
        ("", {"string"}),
        (5, {"number", "integer", "time"}),
        (5.0, {"number", "integer"}),
        (5.5, {"number"}),
        (True, {"boolean"}),
        (False, {"boolean"}),
        ([], {"list"}),
        ({}, {"object"}),
        ("2026-11-02", {"string", "date"}),
        ("2026-02-30", {"string"}),
        ("20261102", {"string"}),
        ("2026-11-02T12:00:00+08:00", {"string", "time"}),
        ("2026-11-02T12:00:00", {"string"}),
    ],
)
def test_which_values_fit_which_types(value: Any, fitting: set[str]) -> None:
    def fits(kind: str) -> bool:
        return refusal({"shop": Source("shop", {"order": EventSchema({"x": kind})})}, event(x=value)) is None

    assert {kind for kind in TYPES if fits(kind)} == fitting
