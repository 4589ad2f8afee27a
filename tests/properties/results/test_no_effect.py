"""The trap of a night: an activity without effect, whose sends are held until the morning, must show none.

Many activities over the same users, each with a control group drawn of its own, through the real engine, the warehouse
and the measures: as many experiments as there are activities. People pay their orders, or do not, whatever they are
sent; the only exception is one activity that does work, so that the test can tell the difference.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.decision import Record, share_of
from kairos.engine.event import Event
from kairos.engine.rule.load import Loaded
from kairos.usecases.results.measure import Wanted, answers, questions
from tests.measured import DAY, HOUR, START, play, valid

USERS, ACTIVITIES, CONTROL = 900, 60, 0.3
WORKS, EFFECT = "works", 0.25

ACTIVITY = """
activity: {name}
state: live
trigger: {{event: order_created}}
audience: {{control_group: 30%}}
limits: {{caps: [], quiet_hours: hold}}
send: [{{channel: sms, template: reminder}}]
goal: {{event: order_paid, within: 24h}}
"""
POLICY = b'timezone: UTC\nquiet_hours: {from: "22:00", to: "08:00"}\n'


def rules(names: list[str]) -> Loaded:
    files = {f"activities/all/{name}.yaml": ACTIVITY.format(name=name).encode() for name in names}
    lifts = "".join(f"  {name}: {{lift: {{activity: {name}, decide_at: 100}}}}\n" for name in names)
    texts = {"templates/reminder.sms.liquid": b"Still open."}
    return valid({**files, **texts, "policy.yaml": POLICY, "measures.yaml": f"measures:\n{lifts}".encode()})


def history() -> list[Event]:
    """One order a user, most of them late in the evening; a third of them is paid, most before the morning."""
    chance, events = random.Random(7), []
    for number in range(USERS):
        user = f"u{number}"
        hour = chance.choice([20, 22, 23, 24, 25, 26]) + chance.random()
        ordered = START + chance.randrange(10) * DAY + int(hour * HOUR)
        events.append(Event(f"o{number}", "order_created", ordered, "", {}, user))
        after = chance.expovariate(1 / 4) * HOUR if chance.random() < 0.35 else None
        works = share_of(user, WORKS) >= CONTROL and chance.random() < EFFECT
        if after is None and works:
            after = 14 * HOUR  # in the late morning, when the message is there
        if after is not None:
            events.append(Event(f"p{number}", "order_paid", ordered + int(after), "", {}, user))
    return events


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], dict[str, dict[str, Any]]]:
    """The decisions, and of each activity its row of kind `lift`."""
    loaded = rules([WORKS, *(f"a{number}" for number in range(ACTIVITIES))])
    folder = tmp_path_factory.mktemp("warehouse")
    return play(folder, loaded, history()), lifts(folder, loaded)


def lifts(folder: Path, loaded: Loaded) -> dict[str, dict[str, Any]]:
    assert loaded.rules is not None
    engine = open_engine(folder)
    try:
        wanted = Wanted(tuple(loaded.measures.measures), as_of=START + 20 * DAY)
        chosen = questions(engine, loaded.rules, loaded.measures, wanted)
        return {
            answer.measure: answer.rows[0] for answer in answers(engine, loaded.rules, loaded.measures, wanted, chosen)
        }
    finally:
        engine.close()


def test_counted_from_the_send_an_effect_appears_that_is_not_there(told: Any) -> None:
    """Who paid before the morning was not sent anything: goal records leave these out on one side only."""
    counts = Counter((record.outcome, record.activity) for record in told[0])
    arms = Counter(record.occurrence for record in told[0] if record.outcome == "control")
    goals = [record for record in told[0] if record.outcome == "goal" and record.activity != WORKS]
    control = sum(record.occurrence in arms for record in goals)
    untouched = [f"a{number}" for number in range(ACTIVITIES)]
    rate_control = control / sum(counts["control", name] for name in untouched)
    rate_sent = (len(goals) - control) / sum(counts["send", name] for name in untouched)
    assert rate_sent / rate_control - 1 < -0.25


def test_counted_from_the_entry_there_is_none(told: Any) -> None:
    rows = [row for name, row in told[1].items() if name != WORKS]
    assert len(rows) == ACTIVITIES
    assert all(row["n_control"] + row["n_treated"] == USERS for row in rows)
    assert all(row["method"] == "fixed" and row["status"] != "unsound" for row in rows)
    half_widths = [(row["interval"][1] - row["interval"][0]) / 2 for row in rows]
    mean = sum(row["difference"] for row in rows) / ACTIVITIES
    assert abs(mean) < sum(half_widths) / ACTIVITIES / ACTIVITIES**0.5 * 1.5  # three standard errors of the mean
    right = sum(row["interval"][0] <= 0 <= row["interval"][1] for row in rows)
    assert right / ACTIVITIES >= 0.9


def test_an_effect_that_is_there_is_found(told: Any) -> None:
    row = told[1][WORKS]
    assert row["status"] == "better"
    assert row["interval"][0] <= 0.65 * EFFECT <= row["interval"][1]  # of those who would not have paid anyway
