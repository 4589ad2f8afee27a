"""A backtest asks who was in a crowd then: those who are in it today would give another answer."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from kairos.engine.decision import Record
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.usecases.crowds.build import build_crowds
from kairos.usecases.crowds.places import Places
from kairos.usecases.rules.backtest import Task, gather, play_span, prepare
from kairos.usecases.rules.people_then import unknown_in_file
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill

CROWDS = b"fresh: {where: 'count(purchase, 2d) >= 1', refresh: 1d}\n"
GREET = b"activity: greet\nstate: live\ntrigger: {event: visit}\naudience: {in: [fresh]}\nsend: [{channel: console}]\n"
FIRST, SECOND = NOON + DAY, NOON + 4 * DAY
"""When the crowd's snapshots go live."""


def shop(folder: Path) -> tuple[RuleSet, RuleSet]:
    """She buys at noon, so the first snapshot has her and the second has not; she visits in each one's time."""
    files = {"crowds.yaml": CROWDS, "policy.yaml": b"timezone: UTC\n"}
    without = load(files)
    greeting = load({**files, "activities/shop/greet.yaml": GREET})
    assert without.rules is not None
    assert greeting.rules is not None, greeting.findings
    visits = {"v0": NOON + DAY // 2, "v1": FIRST + DAY // 2, "v2": SECOND + DAY // 2}
    events = [event(name, time, user_id="ann", type="visit") for name, time in visits.items()]
    events += [event("p", NOON, user_id="ann", type="purchase"), event("q", SECOND, user_id="bob", type="purchase")]
    fill(folder, events=events, profiles={"ann": {"level": 1}, "bob": {"level": 2}}, rules=greeting.rules)
    for as_of in (FIRST, SECOND):
        built = list(build_crowds(Places(folder, greeting.rules), ["fresh"], as_of, lambda: as_of))  # noqa: B023
        assert [build.status for build in built] == ["live"]
    return without.rules, greeting.rules


def decided(task: Task, records: list[Record | None]) -> list[tuple[str, int, object]]:
    return [(r.outcome, r.at, r.crowds) for r in records if r is not None]


def test_members_of_then(tmp_path: Path) -> None:
    without, greeting = shop(tmp_path)
    task, spans = prepare(without, greeting, tmp_path, None, None)
    compared = gather(task, [play_span(task, span) for span in spans])
    assert compared.coverage.profiles == "today"
    sent = [one.b for one in compared.comparison.differences if one.kind == "added"]
    assert decided(task, sent) == [("send", FIRST + DAY // 2, {"fresh": 1})]
    assert (compared.coverage.unknown, compared.coverage.why) == ([], "")


def test_a_crowd_that_was_never_built_selects_nobody_and_that_is_said(tmp_path: Path) -> None:
    """Of a change alone: what the rules before did not ask either."""
    without, greeting = shop(tmp_path / "built")
    visit = event("v", NOON, user_id="ann", type="visit")
    fill(tmp_path / "w", events=[visit], profiles={"ann": {"level": 1}}, rules=greeting)
    fill(tmp_path / "bare", events=[visit], rules=greeting)
    for folder, why in (("w", "the warehouse has no snapshot"), ("bare", "a warehouse without profiles asks no crowd")):
        task, spans = prepare(without, greeting, tmp_path / folder, None, None)
        compared = gather(task, [play_span(task, span) for span in spans])
        assert compared.coverage.unknown == ["fresh"]
        assert why in compared.coverage.why
        assert not any(row.sends_b for row in compared.comparison.activities)
    task, _ = prepare(without, without, tmp_path / "w", None, None)
    assert task.unknown == []


def test_where_no_crowd_is_asked_nobody_s_profile_is_read(tmp_path: Path) -> None:
    """There may be a million of them."""

    class Unread(dict[str, dict[str, object]]):
        def values(self) -> NoReturn:
            raise AssertionError("they were read")

    without, greeting = shop(tmp_path)
    people = Unread(ann={"level": 1})
    assert unknown_in_file(without, people) == []
    with pytest.raises(AssertionError, match="they were read"):
        unknown_in_file(greeting, people)
