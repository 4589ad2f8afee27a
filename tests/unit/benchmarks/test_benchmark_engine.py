"""The engine's benchmark is fair: rules by hand find what the engine finds, and conditions mean the same everywhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import pytest

from benchmarks.engine import made
from benchmarks.engine_run import Users
from benchmarks.expressions import ours
from benchmarks.kit.workload import rules_of, write_rules, yaml_of
from benchmarks.peers.conditions import CONDITIONS
from benchmarks.peers.handwritten import LATENESS, Found, Opened, Rules, Safe, SafeRules
from benchmarks.user_state import RULES, measure
from kairos.engine.event import END_OF_TIME

LINES = [line for _, _, line in made(3_000)]


def by_hand(rules: Rules) -> Counter[tuple[str, str, int]]:
    users: defaultdict[str, Opened] = defaultdict(dict)
    found: Counter[tuple[str, str, int]] = Counter()
    for event in map(msgspec.json.decode, LINES):
        found.update(told(event["user_id"], rules.on_event(users[event["user_id"]], event)))
    for user, opened in users.items():
        rules.on_time(opened, END_OF_TIME, rest := [])
        found.update(told(user, rest))
    return found


def by_hand_safe(rules: Rules, lines: list[bytes]) -> Counter[tuple[str, str, int]]:
    safe, users = SafeRules(rules), defaultdict(Safe)
    found: Counter[tuple[str, str, int]] = Counter()
    for event in map(msgspec.json.decode, lines):
        user = event["user_id"]
        found.update(told(user, safe.on_event(users[user], event, event["time"] - LATENESS - 1)))
    for user, kept in users.items():
        found.update(told(user, safe.on_time(kept, END_OF_TIME)))
    return found


def told(user: str, found: list[Found]) -> list[tuple[str, str, int]]:
    return [(match.rule, user, match.at) for match in found]


@pytest.mark.parametrize("count", [1, 10])
def test_the_engine_and_the_rules_by_hand_find_the_same(count: int, tmp_path: Path) -> None:
    rules = rules_of(count)
    users = Users(write_rules(tmp_path, map(yaml_of, rules)))
    users.play(LINES)
    users.fire(END_OF_TIME)
    found = Counter((record.activity, record.user_id, record.at) for record in users.results)
    assert len(found) > 100
    assert by_hand(Rules(rules)) == found
    assert by_hand_safe(Rules(rules), [again for line in LINES for again in (line, line)]) == found


def test_every_condition_has_both_answers() -> None:
    said = msgspec.json.decode(ours(500))
    assert said["done"] == 500 * len(CONDITIONS)
    assert 0.2 < said["results"] / said["done"] < 0.8


def test_the_state_that_is_weighed_is_the_one_that_is_meant() -> None:
    measured = measure(more=2)
    assert 0 < measured.touched < measured.touched + RULES * measured.open_first
    assert sum(measured.match.values()) == pytest.approx(measured.open_first, abs=2)
