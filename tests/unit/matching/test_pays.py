"""A world whose uplifts are known: what matching brings beyond the priority rule, at the same number of messages.

1,200 users ask once. Without a message 5 % of them buy. Each has one favourite among three offers, which raises that by
16 points, the two others by 2. Three in ten are held out of everything. What came of it is not read from the world but
measured, by the lift of the activities against the held out.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.usecases.results.measure import Wanted, measure
from tests.measured import DAY, HOUR, START, play, valid

OFFERS = ("coupon", "call", "reminder")
BASE_RATE, FAVOURITE, OTHER = 0.05, 0.16, 0.02
USERS = 1_200
ACTIVITY = """
activity: {name}
state: live
priority: {priority}
trigger: {{event: ask}}
audience: {{control_group: held_out}}
{rule}
send: [{{channel: webhook}}]
goal: {{event: buy, within: 7d}}
"""
MATCHING = "matching: offers\nworth: {{value: 30, uplift: fit_{name}}}"
BY_PRIORITY = "limits: {{caps: [one]}}"
POLICY = b"""
matching: {offers: {per: 1d}}
caps: {one: {rules: [{max: 1, per: 1d}]}}
"""


def asks() -> list[Event]:
    chance, events = random.Random(17), []
    for number in range(USERS):
        favourite = chance.choice(OFFERS)
        fits = {f"fit_{name}": FAVOURITE if name == favourite else OTHER for name in OFFERS}
        events.append(Event(f"a{number}", "ask", START + number * HOUR // 4, "", fits, f"u{number}"))
    return events


def outcome(folder: Path, rule: str) -> tuple[int, dict[str, Any]]:
    """Messages, and the lift of all together: whoever is not held out enters every activity."""
    files = {"policy.yaml": POLICY, "crowds.yaml": b"held_out: {sample: 30%}\n"}
    for place, name in enumerate(OFFERS):
        text = ACTIVITY.format(name=name, priority=90 - 10 * place, rule=rule.format(name=name))
        files[f"activities/a/{name}.yaml"] = text.encode()
    loaded, events = valid(files), asks()
    assert loaded.rules is not None
    sent = {r.user_id: r.activity for r in Simulation(loaded.rules).run(events) if r.outcome == "send"}
    bought = []
    for number, ask in enumerate(events):
        uplift = ask.props[f"fit_{sent[ask.user_id]}"] if ask.user_id in sent else 0.0
        if random.Random(number).random() < BASE_RATE + uplift:  # the same luck under either rule
            bought.append(Event(f"b{number}", "buy", ask.time + HOUR, "", {}, ask.user_id))
    records = play(folder, loaded, [*events, *bought])
    messages = Counter(record.outcome for record in records)["send"]
    [answer] = measure(folder, loaded.rules, loaded.measures, Wanted(("lift/coupon",), START + 60 * DAY))
    return messages, answer.rows[0]


def test_matching_brings_more_than_priority_at_the_same_number_of_messages(tmp_path: Path) -> None:
    messages, matched = outcome(tmp_path / "matched", MATCHING)
    as_many, by_priority = outcome(tmp_path / "priority", BY_PRIORITY)
    assert messages == as_many == matched["n_treated"] == by_priority["n_treated"]
    assert matched["interval"][0] < FAVOURITE < matched["interval"][1]
    assert by_priority["interval"][0] < (FAVOURITE + 2 * OTHER) / 3 < by_priority["interval"][1]
    assert matched["status"] == "better"
    more = (matched["difference"] - by_priority["difference"]) * messages
    assert more == pytest.approx((FAVOURITE - OTHER) * 2 / 3 * messages, rel=0.4)
