"""Changes of a crowd are told where a live activity or journey speaks of it, and nowhere else."""

from __future__ import annotations

import pytest

from kairos.engine.rule.load import load
from kairos.engine.rule.reads.spoken_of import crowds_spoken_of

CROWDS = """
a: {members: kept}
b: {where: "count(purchase) > 0", refresh: 1d}
c: {union: [b, {difference: [a, {where: profile.level > 3}]}]}
d: {members: kept}
"""
HEAD = "activity: it\nstate: live\n"


@pytest.mark.parametrize(
    ("rest", "named"),
    [
        ("trigger: {event: visit}\n", ""),
        ("trigger: {event: visit}\naudience: {in: [c]}\n", "a b"),
        ("trigger: {event: visit}\naudience: {control_group: d}\n", "d"),
        ('trigger: {event: visit}\naudience: {where: in_crowd("b")}\n', "b"),
        ("trigger: {pattern: [{entered: a}]}\n", "a"),
        ("trigger: {event: crowd.left}\n", "a b d"),
        ("trigger: {pattern: [{event: visit}, {absent: {left: d}}], within: 1h}\n", "d"),
        ("trigger: {schedule: {daily: '09:00'}, crowd: b}\n", "b"),
    ],
)
def test_by_an_activity(rest: str, named: str) -> None:
    files = {"crowds.yaml": CROWDS.encode(), "activities/x/it.yaml": (HEAD + rest).encode()}
    loaded = load({**files, "policy.yaml": b"timezone: UTC\n"})
    assert loaded.rules is not None, loaded.findings
    assert crowds_spoken_of(loaded.rules) == set(named.split())
    draft = load({**files, "activities/x/it.yaml": (HEAD.replace("live", "draft") + rest).encode()})
    assert draft.rules is not None
    assert not crowds_spoken_of(draft.rules)


def test_by_a_journey() -> None:
    journey = b"journey: it\nstate: live\ntrigger: {event: signup}\nexit: [{left: d}]\nsteps: [{wait: 1d}]\n"
    loaded = load({"crowds.yaml": CROWDS.encode(), "journeys/x/it.yaml": journey, "policy.yaml": b"timezone: UTC\n"})
    assert loaded.rules is not None, loaded.findings
    assert crowds_spoken_of(loaded.rules) == {"d"}
