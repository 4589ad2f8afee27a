"""The time of an event: units, texts, clocks that are fast."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.sources.text import read_sources, write_source
from kairos.engine.event import decode
from kairos.engine.rule.model import Source
from kairos.engine.source.normalise import (
    Normaliser,
    Refusal,
    as_arrived,
)
from tests.access.normalise_kit import EVENTS, NOW, SHOP, draft, line, value


@pytest.mark.parametrize(
    ("unit", "said", "time"),
    [
        ("s", 1_763_778_000, NOW),
        ("s", 1_763_777_999.123, NOW - 877),
        ("s", "2025-11-22T02:20:00Z", NOW),
        ("ms", NOW, NOW),
        ("us", NOW * 1000 - 1, NOW - 1),
        ("ns", NOW * 1_000_000 - 1, NOW - 1),
    ],
)
def test_a_time_in_another_unit(unit: str, said: Any, time: int) -> None:
    text = json.dumps(
        {"shop": {"map": {"time": {"from": "created_at", "unit": unit}}, "events": {"order_created": {}}}}
    )
    (source,) = read_sources(text.encode(), "sources").values()
    assert read_sources(write_source(source).encode(), "again") == {"shop": source}
    assert draft(source, line(time=..., created_at=said)).event.time == time


@pytest.mark.parametrize("said", [True, None, [1], 10**30, -(10**18), "1763778000", 1.5e300])
def test_what_is_no_time_in_another_unit_either(said: Any) -> None:
    source = Source("shop", EVENTS, mapping={"time": "at"}, time_unit="s")
    found = Normaliser(source).read(line(time=..., at=said), NOW)
    assert isinstance(found, Refusal)
    assert found.reason in ("bad_time", "number_range")


def test_a_clock_that_is_fast_does_not_drag_time_along() -> None:
    (found,) = as_arrived([draft(SHOP, line(time=NOW + 3_540_000))], NOW, NOW * 1000)
    assert (found.event.time, found.claimed_time) == (NOW, NOW + 3_540_000)
    assert value(found, "u1")["claimed_time"] == NOW + 3_540_000
    assert decode(json.dumps(value(found, "u1")).encode()) == found.event


MINUTE = 60_000


def arrived(*minutes: float) -> list[float]:
    """Minutes from the clock, of events that were claimed to be of these."""
    drafts = [draft(SHOP, line(id=str(n), time=NOW + round(minute * MINUTE))) for n, minute in enumerate(minutes)]
    found = as_arrived(drafts, NOW, NOW * 1000)
    claimed = [NOW + round(minute * MINUTE) for minute in minutes]
    assert [one.claimed_time or one.event.time for one in found] == claimed
    return [(one.event.time - NOW) / MINUTE for one in found]


@pytest.mark.parametrize(
    ("claimed", "taken"),
    [
        ([11, 12], [-1, 0]),
        ([12, 11], [0, -1]),
        ([-30, 11, 12], [-30, -1, 0]),
        ([-0.5, 11, 12], [-12.5, -1, 0]),
        ([-1, 11, 12], [-13, -1, 0]),
        ([-40, -12, -0.5, 11, 12], [-40, -12 - 12, -12.5, -1, 0]),
        ([-5, -1], [-5, -1]),
        ([], []),
    ],
)
def test_what_is_ahead_is_put_back_together(claimed: list[float], taken: list[float]) -> None:
    assert arrived(*claimed) == taken


@given(st.lists(st.integers(-60, 60), max_size=6))
def test_putting_back_keeps_the_order_and_the_distances_of_what_was_ahead(minutes: list[int]) -> None:
    taken = arrived(*minutes)
    ahead = [minute - back for minute, back in zip(minutes, taken, strict=True) if minute > 0]
    assert len(set(ahead)) <= 1
    assert max(taken, default=0) <= 0
    pairs = list(zip(minutes, taken, strict=True))
    assert all(t < u for m, t in pairs for n, u in pairs if m < n)
