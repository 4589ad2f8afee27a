"""Types of events in rules: any script, dots inside, and none of Kairos' own in what a source declares."""

from __future__ import annotations

import json

import pytest

from kairos.adapters.sources.text import SourceTextError, read_sources
from tests.engine_kit import rules


@pytest.mark.parametrize(
    "type_", ["order.paid", "订单支付_app", "заказ", "consent.changed", "catalog.item", "consents.x"]
)
def test_a_source_declares(type_: str) -> None:
    assert list(read_sources(json.dumps({"s": {"events": {type_: {}}}}).encode(), "s")["s"].events) == [type_]


@pytest.mark.parametrize(
    "type_", ["Order", "a..b", ".a", "a.", "a b", "a：b", "message.sent", "catalog.items", "crowd.x"]
)
def test_a_source_does_not_declare(type_: str) -> None:
    with pytest.raises(SourceTextError, match="event type"):
        read_sources(json.dumps({"s": {"events": {type_: {}}}}).encode(), "s")


def test_a_step_is_called_by_its_type() -> None:
    text = (
        "activity: a\ntrigger: {pattern: [{event: order.paid}, {event: заказ, where: n == order_paid.n}], within: 1h}\n"
    )
    steps = rules(text).activities["a"].pattern.steps
    assert [(step.name, step.types) for step in steps] == [("order_paid", ("order.paid",)), ("заказ", ("заказ",))]
