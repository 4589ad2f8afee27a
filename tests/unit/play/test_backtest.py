"""A backtest over a warehouse says what `compare` says of the same events in a file, however its users are cut."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kairos.engine.compare.report import Comparison, compare
from kairos.engine.compare.side import Side
from kairos.engine.event import Event
from kairos.engine.rule.load import Loaded
from kairos.usecases.rules import backtest
from kairos.usecases.rules.backtest import (
    TOGETHER,
    NothingToPlay,
    Result,
    Span,
    Task,
    gather,
    play_span,
    prepare,
    used_up,
)
from kairos.usecases.rules.compare import decide
from tests.measured import DAY, HOUR, START, play, valid

CART_LEFT = """
activity: cart_left
state: live
trigger: {{pattern: [{{event: cart}}, {{absent: purchase}}], within: 1h}}
limits: {{caps: [marketing]{budget}}}
send: [{{channel: console}}]
"""
POLICY = "timezone: UTC\ncaps: {{marketing: {{rules: [{{max: {most}, per: 1d}}]}}}}\n"


def rules(most: int, budget: int | None = None) -> Loaded:
    limit = "" if budget is None else f", budget: {{sends: {budget}}}"
    return valid(
        {
            "activities/shop/cart_left.yaml": CART_LEFT.format(budget=limit).encode(),
            "policy.yaml": POLICY.format(most=most).encode(),
        }
    )


def shop() -> list[Event]:
    events = []
    for number in range(120):
        user, at = f"u{number % 40:02}", START + number // 40 * DAY + number % 7 * HOUR
        events.append(Event(f"c{number}", "cart", at, "", {"n": number, "size": [1, {"deep": 2.5}]}, user))
        events.append(Event(f"d{number}", "cart", at + 2 * HOUR, "", {}, user))
        if number % 3 == 0:
            events.append(Event(f"p{number}", "purchase", at + HOUR // 2, "", {}, user))
    return events


def whole(a: Loaded, b: Loaded, events: list[Event], start: int | None, end: int | None) -> Comparison:
    assert a.rules is not None
    assert b.rules is not None
    return compare(
        Side(a.rules, decide(a.rules, events, None)), Side(b.rules, decide(b.rules, events, None)), start, end
    )


def results(task: Task, spans: list[Span]) -> list[Result]:
    """As they come back from a job."""
    return [msgspec.json.decode(msgspec.json.encode(play_span(task, span)), type=Result) for span in spans]


def prepared(warehouse: Path, a: Loaded, b: Loaded, *window: int | None) -> tuple[Task, list[Span]]:
    assert a.rules is not None
    assert b.rules is not None
    return prepare(a.rules, b.rules, warehouse, *(window or (None, None)))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("window", [(None, None), (START + DAY, START + 2 * DAY)])
def test_the_same_as_compare_however_users_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, window: tuple[int | None, int | None]
) -> None:
    monkeypatch.setattr(backtest, "SPAN", size)
    a, b, events = rules(2), rules(1), shop()
    play(tmp_path / "warehouse", a, events)
    task, spans = prepared(tmp_path / "warehouse", a, b, *window)
    assert len(spans) == (40 if size == 1 else 1 if size > 1_000 else len(spans))
    found = gather(task, reversed(results(task, spans))).comparison
    assert msgspec.json.encode(found) == msgspec.json.encode(whole(a, b, events, *window))
    assert found.differences


@pytest.mark.parametrize("budget", [5, 200])
def test_users_are_played_together_only_where_a_budget_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr(backtest, "SPAN", 1)
    a, b, events = rules(9), rules(9, budget), shop()
    play(tmp_path / "warehouse", a, events)
    task, spans = prepared(tmp_path / "warehouse", a, b)
    found = results(task, spans)
    assert used_up(task, found) == (["cart_left"] if budget < 200 else [])
    if budget < 200:
        found = results(task, TOGETHER)
    comparison = gather(task, found).comparison
    assert msgspec.json.encode(comparison) == msgspec.json.encode(whole(a, b, events, None, None))
    assert {one.cause for one in comparison.differences} == ({"budget"} if budget < 200 else set())


def test_users_are_played_together_where_a_pool_of_codes_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "SPAN", 1)
    events = shop()
    play(tmp_path / "warehouse", rules(9), events)
    for codes, short in ((3, ["coupons spring"]), (200, [])):
        files = {
            "activities/shop/cart_left.yaml": CART_LEFT.format(budget="").encode()
            + b"data: {code: 'coupon(\"spring\")'}\n",
            "policy.yaml": POLICY.format(most=9).encode(),
            "coupons.yaml": b"spring: {codes: c.txt}\n",
            "c.txt": "\n".join(f"C{n}" for n in range(codes)).encode(),
        }
        task, spans = prepared(tmp_path / "warehouse", rules(9), valid(files))
        assert used_up(task, results(task, spans)) == short


def test_the_users_of_a_schedule_are_played_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "SPAN", 1)
    daily = b"activity: daily\nstate: live\ntrigger: {schedule: {daily: '09:00'}}\npace: {rate: 9 per 1m}\n"
    a = valid(
        {"activities/shop/daily.yaml": daily + b"send: [{channel: console}]\n", "policy.yaml": b"timezone: UTC\n"}
    )
    events = shop()
    play(tmp_path / "warehouse", rules(1), events)
    task, spans = prepared(tmp_path / "warehouse", rules(1), a)
    assert spans == TOGETHER
    comparison = gather(task, results(task, spans)).comparison
    assert msgspec.json.encode(comparison) == msgspec.json.encode(whole(rules(1), a, events, None, None))
    assert {one.kind for one in comparison.differences} == {"added", "removed"}


def test_no_events_then_is_said(tmp_path: Path) -> None:
    a = rules(1)
    assert a.rules is not None
    play(tmp_path / "warehouse", a, shop())
    with pytest.raises(NothingToPlay, match="no events in that time"):
        prepare(a.rules, a.rules, tmp_path / "warehouse", START - 9 * DAY, START - 8 * DAY)
