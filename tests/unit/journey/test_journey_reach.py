"""Reach of a journey: counted by the warehouse from the same decisions as `Funnels` counts a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.engine.journey.funnel import Funnels
from kairos.engine.measure import way
from kairos.engine.measure.entries import Subject
from kairos.engine.measure.epochs import Arms
from kairos.engine.measure.spec import Reach
from kairos.engine.rule.journey import LEFT
from kairos.usecases.results.report import _stages_of
from tests.engine_kit import BASE, events, rules, run
from tests.measure_world import World
from tests.unit.journey.test_journeys import journey

DAY = 86_400_000
NOW = BASE + 30 * DAY
TEXT = journey(
    """{id: tips, send: [{channel: sms, template: t}]}
    {wait: 1d}
    {choose: [{when: profile.keen, steps: [{id: hello, send: [{channel: webhook}]}]}, {steps: [{exit: cold}]}]}
    {wait: 40d}""",
    "audience: {control_group: 20%}\ngoal: {event: buy, within: 9d}\n",
)
USERS = [f"u{number}" for number in range(60)]
PROFILES = {
    user: {"keen": number % 3 > 0, **({"phone": "+4477"} if number % 4 else {})} for number, user in enumerate(USERS)
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    given = events(*(f"0s in user={user}" for user in USERS), *(f"36h buy user={user}" for user in USERS[::5]))
    records = [record for record in run(rules(TEXT), given, PROFILES) if record.at <= NOW]
    funnels = Funnels()
    for record in records:
        funnels.take(record)
    world = World().decisions(
        {"activity": one.activity, "version": one.version, "user_id": one.user_id, "occurrence": one.occurrence,
         "outcome": one.outcome, "at_ms": one.at, "reason": one.reason, "channel": one.channel,
         "attempt": one.attempt or 1, "data": json.dumps(one.data)}
        for one in records
    )  # fmt: skip
    found = world.ask(Reach("j"), NOW, Subject("j", Arms(0.2, (), "j"), journey=True))
    assert {(one.name, one.runs, one.share) for one in _stages_of(found)} == {
        (one.name, one.runs, one.share) for one in funnels.stages()["j"]
    }
    return found


def test_it_adds_up(rows: list[dict[str, Any]]) -> None:
    steps = {row["step"]: row for row in rows}
    number = {step: row["occurrences"] for step, row in steps.items()}
    assert list(number) == [
        "entered", "let in", "at tips", "tips sent", "at hello", "hello sent", "left: cold", "left: goal",
        "still inside", "goal",
    ]  # fmt: skip
    assert number["entered"] == len(USERS)
    assert steps["let in"]["lost"] == {"control": number["entered"] - number["let in"]}
    assert steps["tips sent"]["lost"] == {"unreachable": number["at tips"] - number["tips sent"]}
    assert number["at tips"] == number["let in"] == number["left: cold"] + number["left: goal"] + number["still inside"]


def test_each_row_says_of_what_it_is_a_share(rows: list[dict[str, Any]]) -> None:
    steps = {row["step"]: row for row in rows}
    assert steps["tips sent"]["of_previous"] == steps["tips sent"]["occurrences"] / steps["at tips"]["occurrences"]
    assert steps["goal"]["of_previous"] == steps["goal"]["occurrences"] / steps["let in"]["occurrences"]
    assert steps["entered"]["of_previous"] is None


def test_nobody_came_in() -> None:
    found = World().ask(Reach("j"), NOW, Subject("j", Arms(None, (), "j"), journey=True))
    assert [(row["step"], row["occurrences"]) for row in found] == [("entered", 0), ("let in", 0), ("goal", 0)]


def test_what_has_no_channel_is_not_told_by_it() -> None:
    subject = Subject("j", Arms(None, (), "j"), journey=True)
    with pytest.raises(way.CannotAsk, match=r"reach/j\.STEP"):
        World().ask(Reach("j"), NOW, subject, by="channel")


def test_the_end_is_called_as_in_the_rules() -> None:
    assert way.LEFT == LEFT
