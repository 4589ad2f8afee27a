"""A scheduler dies at every call that it makes, before or after it was carried out; the next one takes over: one
message a user."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.release import Release
from kairos.usecases.scheduler import scheduler as module
from tests.engine_kit import BASE, HOUR, MINUTE, Profiles, rules
from tests.scheduler_kit import Killed, World, run_until

PEOPLE: Profiles = {f"u{n}": {} for n in range(40)}
BLAST = """activity: a
trigger: {schedule: {at: 2026-11-02T13:00, timezone: UTC}}
PACE
send: [{channel: webhook}]
"""
PACES = ("", "pace: {rate: 15 per 1m}", "pace: {waves: [10%, 50%, 100%], every: 10m}")
POINTS = 16
"""As many calls as the longest of these runs makes, and more."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("pace", PACES)
def test_killed_at_any_point_every_user_gets_one_message(
    pace: str, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 15)
    rule_set = rules(BLAST.replace("PACE\n", f"{pace}\n" if pace else ""))
    killed = 0
    for point in range(1, POINTS + 1):
        world = World(tmp_path, PEOPLE, rule_set)
        world.kill_at, world.after = point, after
        try:
            run_until(world, world.scheduler(), BASE + 2 * HOUR)
        except Killed:
            killed += 1
        world.kill_at = None
        world.now += MINUTE
        run_until(world, world.scheduler(), BASE + 3 * HOUR)
        assert {event.user_id for event in world.told} == PEOPLE.keys(), point
        records = list(Simulation(rule_set).run(world.told, first=0, last=0))
        assert Counter(r.user_id for r in records if r.outcome == "send") == dict.fromkeys(PEOPLE, 1), point
        assert len(records) == len(PEOPLE)
        world.engine.dispose()
    assert killed >= 10


@pytest.mark.parametrize("after", [False, True])
def test_a_sweep_that_is_killed_at_any_point_looks_at_everybody(
    after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 15)
    for point in range(1, 9):
        world = World(tmp_path, PEOPLE, rules())
        world.release = Release(7, world.release.rules, BASE, sweep=HOUR)
        world.kill_at, world.after = point, after
        with suppress(Killed):
            run_until(world, world.scheduler(), BASE + 2 * HOUR)
        world.kill_at = None
        world.now += MINUTE
        run_until(world, world.scheduler(), BASE + 5 * HOUR)
        assert {event.id for event in world.told} == {f"sweep/7/{user}" for user in PEOPLE}, point
        world.engine.dispose()


def test_two_at_the_same_time_do_no_harm(tmp_path: Path) -> None:
    """Where a lease was lost unnoticed: both tell the same events."""
    rule_set = rules(BLAST.replace("PACE\n", "pace: {rate: 15 per 1m}\n"))
    world = World(tmp_path, PEOPLE, rule_set)
    one, other = world.scheduler(), world.scheduler()
    for minute in range(90):
        world.now = BASE + minute * MINUTE
        one.step()
        other.step()
    records = list(Simulation(rule_set).run(world.told, first=0, last=0))
    assert Counter(r.user_id for r in records) == dict.fromkeys(PEOPLE, 1)
