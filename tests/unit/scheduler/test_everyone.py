"""Who is known: the scheduler, from profiles and the warehouse, and a simulation of the same events agree."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from kairos.adapters.profiles.everyone import EveryoneInFile, open_everyone
from kairos.adapters.warehouse.known import who_did_something
from kairos.engine.event import CATALOG_ITEM, Event
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.schedule.played import with_slots
from tests.engine_kit import DAY, rules
from tests.unit.warehouse.warehouse_kit import NOON, event, fill

PROFILES = {"had": {"email": "a@example.com"}, "bare": {}}
EVENTS = [
    event("1", NOON, user_id="had", type="look"),
    event("2", NOON + 1, user_id="new", type="look"),
    event("3", NOON + 2, user_id="item:1", type=CATALOG_ITEM, source="kairos", props={"catalog": "products"}),
]
DAILY = 'activity: a\nstate: live\ntrigger: {schedule: {daily: "09:00", timezone: UTC}}\n'


@pytest.fixture
def known(tmp_path: Path) -> EveryoneInFile:
    fill(tmp_path / "w", events=EVENTS)
    (tmp_path / "people.json").write_text(json.dumps(PROFILES))
    opened = open_everyone(None, str(tmp_path / "people.json"), None, partial(who_did_something, str(tmp_path / "w")))
    assert isinstance(opened, EveryoneInFile)
    return opened


def test_the_scheduler_knows_whom_a_simulation_knows(known: EveryoneInFile) -> None:
    found = {user for user, _ in known.everyone(Needs(frozenset()))}
    told = [Event(e["id"], e["type"], e["time"], e["source"], e["props"], e["user_id"]) for e in EVENTS]
    slots = with_slots(rules(DAILY), told, PROFILES, NOON, NOON + DAY)[len(told) :]
    assert found == {slot.user_id for slot in slots} == {"had", "bare", "new"}


def test_without_a_warehouse_only_profiles_are_known(tmp_path: Path, known: EveryoneInFile) -> None:
    alone = open_everyone(
        None, str(tmp_path / "people.json"), None, partial(who_did_something, str(tmp_path / "nowhere"))
    )
    assert [user for user, _ in alone.everyone(Needs(frozenset()))] == ["had", "bare"]
