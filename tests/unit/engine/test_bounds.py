"""One user cannot make a state grow without end."""

import msgspec

from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.engine.settings import Settings

UNPAID = b"""
activity: unpaid
state: live
trigger: {per: order_id, pattern: [{event: ordered}, {absent: paid}], within: 10m}
"""


def order(number: int) -> Event:
    return Event(f"e{number}", "ordered", 1_763_778_000_000 + number, "shop", {"order_id": f"o{number}"}, "u1")


def test_values_of_per_beyond_the_limit_are_not_begun_and_are_counted():
    rules = load({"activities/a/unpaid.yaml": UNPAID}).rules
    assert rules is not None
    simulation = Simulation(rules, settings=Settings(max_runs=3, regret_for=0, assume_delivered=True))
    decided = [record.steps["ordered"] for record in simulation.run([order(n) for n in range(5)])]
    assert decided == [["e0"], ["e1"], ["e2"]]
    assert simulation.engine.counters["runs_dropped"] == 2


def test_nor_are_those_beyond_it_of_one_event_that_has_many():
    rules = load({"activities/a/unpaid.yaml": UNPAID}).rules
    assert rules is not None
    simulation = Simulation(rules, settings=Settings(max_runs=3, regret_for=0, assume_delivered=True))
    many = msgspec.structs.replace(order(0), props={"order_id": ["a", "b", "c", "d", "e"]})
    assert len(list(simulation.run([many]))) == 3
    assert simulation.engine.counters["runs_dropped"] == 2
