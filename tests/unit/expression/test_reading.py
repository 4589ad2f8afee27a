"""What an expression reads, also inside of values, and how it is explained."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.event import Event
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from tests.unit.expression.facts import value


def test_explain_tells_conditions_and_what_they_compare(scope: Facts) -> None:
    told = parse("amount  >= 50 and not (city in ['gz'] or len(tags) > order.n)").explain(scope)
    assert told == [
        ("amount >= 50", True),
        ("amount", 80),
        ("city in ['gz']", False),
        ("city", "sz"),
        ("len(tags) > order.n", True),
        ("len(tags)", 3),
        ("tags", ["a", 1, None]),
        ("order.n", 1),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("address.city", "sz"),
        ("address.geo.1", 22.5),
        ("items.0.sku", "a"),
        ("items.1.sku", "b"),
        ("items.2.sku", None),
        ("items.sku", None),
        ("items.0.sku.x", None),
        ("address.0", None),
        ("address . city", "sz"),
        ("'items.0' == \"items.0\" and items.0.n + 1.5 == 3.5", True),
        ("[0.5, items.0.n, 1.0]", [0.5, 2, 1.0]),
        ("order.address.city", "bj"),
        ("order.first.items.0", 7),
        ("profile.address.city", "gz"),
        ("exists(address.street)", False),
        ("items.99999999999999999999", None),
    ],
)
def test_what_lies_inside(text: str, expected: Any) -> None:
    scope = Facts()
    scope.props = {"address": {"city": "sz", "geo": [114, 22.5]}, "items": [{"sku": "a", "n": 2}, {"sku": "b"}]}
    scope.steps = {"order": (Event("e", "order", 0, "", {"address": {"city": "bj"}, "items": [7]}),)}
    scope.profile = {"address": {"city": "gz"}}
    assert value(text, scope) == expected
    assert parse(text).explain(scope)


def test_reads() -> None:
    reads = parse(
        "amount > order.amount and sum(views.n) > views.count and event.time > 1 and profile.level > metric.m "
        "and prior.p > 1 and in_crowd('vips') and other.count > 1"
    ).reads
    assert reads.props == {"amount", "order"}  # where no step is called so, a prop may be
    assert reads.steps == {"order": {"amount"}, "views": {"n"}, "other": frozenset()}
    assert (reads.event_fields, reads.profile, reads.metrics) == ({"time"}, {"level"}, {"m"})
    assert (reads.priors, reads.crowds) == ({"p"}, {"vips"})
    assert not reads.local_time
    assert parse("hour(event.time) > 8").reads.local_time
