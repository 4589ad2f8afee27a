"""What lies inside of props, from a condition to a decision's data, through the state."""

from __future__ import annotations

from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from tests.engine_kit import BASE, rules

TEXT = """
activity: a
trigger:
  pattern:
    - {event: order, as: bought, where: address.city == "sz"}
    - {event: pay, where: items.0.sku == bought.items.0.sku}
  within: 1h
data: {city: bought.address.city, sku: items.0.sku, none: items.1.sku}
send: [{channel: sms, template: t}]
"""


def order(number: int, type_: str, city: str, sku: str) -> Event:
    props = {"address": {"city": city}, "items": [{"sku": sku}]}
    return Event(f"e{number}", type_, BASE + number, "shop", props, "u1")


def test_from_condition_to_data() -> None:
    events = [
        order(1, "order", "bj", "x"),
        order(2, "order", "sz", "y"),
        order(3, "pay", "", "x"),
        order(4, "pay", "", "y"),
    ]
    for run in (Simulation(rules(TEXT)).run, Simulation(rules(TEXT), as_arrived=True).run):
        (record,) = run(events)
        assert record.steps == {"bought": ["e2"], "pay": ["e4"]}
        assert record.data == {"city": "sz", "sku": "y", "none": None}
