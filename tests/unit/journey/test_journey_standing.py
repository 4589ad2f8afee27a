"""Where people stand, told from decisions alone."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from kairos.engine.journey.standing import Decided, standing
from tests.engine_kit import BASE, events, ms, rules, run
from tests.unit.journey.test_journeys import journey

STEPS = """{wait: 2d}
hello
{id: seen, wait_for: {event: view, within: 3d}, otherwise: [{id: more, wait: 1d}]}
{choose: [{when: in_.n > 5, steps: [{id: rest, wait: 5d}]}]}
tips
{wait: {days: 1, at: "10:00"}}"""
STANDING = [
    # (now, where somebody who does nothing stands)
    ("1d", {"+1": 1}),
    ("3d", {"seen": 1}),
    ("5d12h", {"more": 1}),
    ("6d12h", {"rest": 1}),
    ("11d12h", {"tips+1": 1}),
    ("20d", {}),
]


@pytest.mark.parametrize(("now", "expected"), STANDING)
def test_where_somebody_stands_follows_from_the_last_record(now: str, expected: dict[str, int]) -> None:
    rule_set = rules(journey(STEPS))
    records = [
        Decided(record.user_id, record.occurrence, record.activity.partition(".")[2], record.outcome, record.at)
        for record in run(rule_set, events("0s in n=7"))
        if record.at <= BASE + ms(now)
    ]
    assert standing(rule_set.journeys["j"], records, BASE + ms(now), ZoneInfo("UTC")) == Counter(expected)


def test_who_is_held_stands_at_the_message_and_who_is_in_the_control_group_nowhere() -> None:
    rule_set = rules(journey("hello\n{wait: 2d}"))
    records = [
        Decided("a", "o1", "", "match", BASE),
        Decided("a", "o1", "hello", "hold", BASE),
        Decided("b", "o2", "", "control", BASE),
        Decided("c", "o3", "", "match", BASE),
        Decided("c", "o3", "gone", "send", BASE),
    ]
    found = standing(rule_set.journeys["j"], records, BASE + 1, ZoneInfo("UTC"))
    assert found == Counter({"hello": 1, "gone": 1})
