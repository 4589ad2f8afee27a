"""What the benchmarks of the job measure is what they say: patterns, timers, the line through a peer's times."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from benchmarks.job.match_recognize import query
from benchmarks.job.real_rules import many, profiles_of
from benchmarks.job.state import every_user_first
from benchmarks.job.throughput import Measured, Size, drawn_out, table
from benchmarks.job.timers import USERS_TO_ONE, timers_an_event
from benchmarks.kit.page import PAGE, note
from benchmarks.kit.workload import HOUR, MINUTE, TYPES, events, rules_of, write_rules, yaml_of
from benchmarks.peers.handwritten import Rule
from kairos.adapters.rules.store import open_rule_store
from kairos.usecases.operation.dataset.clickstream import Dataset

PAIR = Rule("pair", ["t0", "t2"], ["t1"], 290, 10 * MINUTE, absent=False)


@pytest.mark.parametrize(("count", "least", "most"), [(1, 1, 1), (10, 3, 4), (100, 3, 4), (1_000, 3, 4)])
def test_an_event_is_the_first_step_of_three_rules(count: int, least: int, most: int) -> None:
    opened = Counter(name for rule in rules_of(count) for name in rule.first)
    assert len(opened) == TYPES
    assert set(opened.values()) <= set(range(least, most + 1))


def test_the_rules_are_free_of_errors(tmp_path: Path) -> None:
    release = open_rule_store(str(write_rules(tmp_path, map(yaml_of, rules_of(10))))).latest(0)
    assert release is not None
    assert len(release.rules.activities) == 10


def test_a_query_has_the_conditions_of_the_rule() -> None:
    text = query(PAIR, filtered=True)
    assert "type IN ('t0', 't2') AND props.amount >= 290 AS opens" in text
    assert "type IN ('t1') AS closes" in text
    assert "WHERE (type IN ('t0', 't2') AND props.amount >= 290) OR type IN ('t1'))" in text


def test_a_user_has_one_timer_at_a_time(tmp_path: Path) -> None:
    """Ten events within a second open an absence that is due ten minutes later: the first alone asks for a timer."""
    rules = write_rules(tmp_path, [yaml_of(Rule("gone", ["t0"], ["t1"], 0, 10 * MINUTE, absent=True))])
    value = b'{"id":"%d","type":"t0","user_id":"u%d","time":%d,"source":"shop","props":{"amount":1}}'
    made = [("u0", 1_763_778_000_000 + n, value % (n, 0, 1_763_778_000_000 + n)) for n in range(10)]
    other = [("u1", 1_763_778_000_000 + n, value % (n, 1, 1_763_778_000_000 + n)) for n in range(10)]
    assert USERS_TO_ONE > 1, "so the other user is not played"
    assert timers_an_event(rules, [*made, *other]) == 0.1


def test_a_line_is_drawn_through_times_not_rates() -> None:
    rates = {n: 1e6 / (20 + 10 * n) for n in (1, 10, 40)}  # 20 microseconds, and 10 for each query
    assert drawn_out(rates, 1_000) == pytest.approx(1e6 / (20 + 10_000))


def test_every_user_has_an_event_before_the_rest() -> None:
    made = list(every_user_first(50, 10))
    assert len(made) == 60
    assert len({user for user, _, _ in made[:50]}) == 50
    assert [moment for _, moment, _ in made] == sorted(moment for _, moment, _ in made)


def test_events_are_the_same_each_time() -> None:
    assert list(events(20, 5)) == list(events(20, 5))


def test_copies_of_the_clickstream_are_of_other_users_and_in_order(tmp_path: Path) -> None:
    lines = [{"id": f"w{n}", "type": "home", "user_id": f"user_{n % 2:04}", "time": n * HOUR} for n in range(4)]
    events, profiles = tmp_path / "ecom.jsonl", tmp_path / "profiles.json"
    events.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    profiles.write_bytes(msgspec.json.encode({"user_0001": {"name": "Lena"}}))
    dataset = Dataset(events, profiles, 4, 2)
    made = list(many(dataset, 3))
    assert [moment for _, moment, _ in made] == sorted(moment for _, moment, _ in made)
    assert {user for user, _, _ in made} == {"u0", "u1", "u1000", "u1001", "u2000", "u2001"}
    assert len({msgspec.json.decode(line)["id"] for _, _, line in made}) == 12
    assert profiles_of(dataset, 3) == {user: {"name": "Lena"} for user in ("u1", "u1001", "u2001")}


def test_the_table_says_what_was_drawn_out() -> None:
    form = "MATCH_RECOGNIZE"
    measured = Measured(0.5, 200.0, 400.0, {10: 100.0, 100: 80.0}, {form: {1: 100.0, 10: 50.0}})
    rows = table(Size(forms=(form,)), measured).splitlines()
    assert "| 10 | 100 | 0.50 | 50 | 2.00x |" in rows
    assert "| 100 | 80 | 0.40 | 8 (drawn out) | 9.60x |" in rows


@pytest.mark.parametrize("name", ["job.throughput", "job.real_rules", "job.state", "job.latency", "job.scale"])
def test_the_page_keeps_a_place_for_each(name: str) -> None:
    assert "| table |" in note(PAGE.read_text(), f"benchmarks.{name}", "| table |")
