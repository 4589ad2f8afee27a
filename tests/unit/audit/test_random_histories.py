"""What engine and a faithful sender do together is clean, whatever the rules; one thing wrong in it is found."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.delivery.tables import delivery_key
from kairos.engine.event import Event
from kairos.engine.rule.model import RuleSet
from tests.engine_kit import BASE
from tests.properties.twins.engine_world import rule_sets, streams
from tests.unit.audit.live import Live, busy_world
from tests.unit.audit.story import Story, found

MINUTE = 60_000
Spoil = Callable[[Story, Random], str]


def problems(story: Story) -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        return found(story.audit(Path(folder)))


@st.composite
def histories(draw: st.DrawFn) -> Story:
    rule_set: RuleSet = draw(rule_sets())
    budget = draw(st.sampled_from((None, 1, 3)))
    activities = {
        name: msgspec.structs.replace(a, limits=msgspec.structs.replace(a.limits, budget=budget))
        for name, a in rule_set.activities.items()
    }
    events: list[Event] = draw(streams(receipts=False))
    rule_set = msgspec.structs.replace(rule_set, activities=activities)
    return Live(rule_set, events, Random(draw(st.integers(0, 999)))).run()


@settings(max_examples=50)
@given(story=histories())
def test_a_faithful_history_is_clean(story: Story) -> None:
    assert problems(story) == {}


def _sends(story: Story) -> list[dict[str, Any]]:
    return [decision for decision in story.decisions if decision["outcome"] == "send"]


def _key(decision: dict[str, Any]) -> str:
    named = (decision[name] for name in ("activity", "user_id", "occurrence"))
    return delivery_key(*named, decision.get("attempt", 1))


def _sent(story: Story) -> list[dict[str, Any]]:
    keys = {row["key"] for row in story.rows if row["state"] == "sent"}
    return [decision for decision in _sends(story) if _key(decision) in keys]


def call_twice(story: Story, chance: Random) -> str:
    key = _key(chance.choice([send for send in _sent(story) if send["channel"] != "webhook"]))
    story.call(key, 3, "accepted", BASE)
    next(row for row in story.rows if row["key"] == key)["calls"] = 3
    return "sent_once"


def lose_a_row(story: Story, chance: Random) -> str:
    key = _key(chance.choice(_sent(story)))
    story.rows[:] = [row for row in story.rows if row["key"] != key]
    return "explained"


def lose_a_decision(story: Story, chance: Random) -> str:
    lost = chance.choice(_sent(story))
    story.decisions[:] = [decision for decision in story.decisions if decision is not lost]
    return "explained"


def lose_the_calls(story: Story, chance: Random) -> str:
    key = _key(chance.choice(_sent(story)))
    story.calls[:] = [call for call in story.calls if call["key"] != key]
    return "sent_once"


def leave_it_open(story: Story, chance: Random) -> str:
    key = _key(chance.choice(_sent(story)))
    next(row for row in story.rows if row["key"] == key)["state"] = "reserved"
    return "explained"


def decide_otherwise(story: Story, chance: Random) -> str:
    story.decisions.append(chance.choice(_sent(story)) | {"data": {"n": -1}})
    return "repeats"


def overshoot_a_cap(story: Story, chance: Random) -> str:
    """As many more at the same instant as the cap allows at all."""
    policy = story.rule_set.policy
    limits = {name: activity.limits for name, activity in story.rule_set.activities.items()}
    capped = [
        (send, rule.most)
        for send in _sent(story)
        if send["user_id"] != "u2"  # on the white list
        for cap in limits[send["activity"]].caps
        if cap in limits[send["activity"]].counts_toward
        for rule in policy.caps[cap].rules
        if rule.channel in (None, send["channel"])
    ]
    send, most = chance.choice(capped)
    for number in range(most):
        story.decisions.append(send | {"occurrence": f"more{number}", "attempt": 1})
        story.row("sent", "accepted")
    return "caps"


def overshoot_a_budget(story: Story, chance: Random) -> str:
    budgets = {name: activity.limits.budget for name, activity in story.rule_set.activities.items()}
    send = chance.choice([send for send in _sent(story) if budgets[send["activity"]]])
    for number in range(budgets[send["activity"]] or 0):
        story.decisions.append(send | {"user_id": f"other{number}", "occurrence": "more", "attempt": 1, "at": BASE})
        story.row("sent", "accepted")
    return "budgets"


def call_in_the_night(story: Story, chance: Random) -> str:
    quiet = story.rule_set.policy.quiet_hours
    awake = [
        send
        for send in _sent(story)
        if quiet is not None
        and send["user_id"] != "u2"  # on the white list, and of another zone
        and send["channel"] != "console"
        and story.rule_set.activities[send["activity"]].limits.quiet_hours != "ignore"
    ]
    key = _key(chance.choice(awake))
    midnight = BASE - 12 * 60 * MINUTE
    for call in story.calls:
        if call["key"] == key:
            call["started_at"] = midnight + (quiet.start if quiet else 0) * MINUTE
    return "quiet_hours"


SPOILS: tuple[Spoil, ...] = (
    call_twice,
    lose_a_row,
    lose_a_decision,
    lose_the_calls,
    leave_it_open,
    decide_otherwise,
    overshoot_a_cap,
    overshoot_a_budget,
    call_in_the_night,
)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spoil", SPOILS)
def test_one_thing_wrong_is_found(spoil: Spoil, seed: int) -> None:
    story = busy_world(Random(seed))
    assert problems(story) == {}
    assert spoil(story, Random(seed)) in problems(story)


def test_the_busy_world_has_all_that_it_is_about() -> None:
    """So that clean means something."""
    story = busy_world(Random(1))
    assert {row["state"] for row in story.rows} == {"sent", "unknown", "failed", "expired", "released"}
    assert {decision["outcome"] for decision in story.decisions} >= {"send", "hold", "suppress"}
    assert {decision["reason"] for decision in story.decisions} >= {"quiet_hours", "cap:m", "cap:n", "budget"}
    assert {decision.get("attempt", 1) for decision in _sends(story)} >= {1, 2}
