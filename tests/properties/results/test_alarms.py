"""The statistics of alarms beside a slow, obvious twin: one series, one hour after the other, by the book."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import mean, median
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.spec import Known
from tests.unit.alarm.alarm_kit import HOUR, MONDAY, begun, said, watching

HOURS = 6 * 168
Counts = dict[int, tuple[int, int]]
"""Hour since 1970 -> hits, trials."""


def same_hours(hour: int, zone: str) -> list[int]:
    """Every hour of the four weeks before whose local weekday and time of day are those of `hour`, or one beside."""
    wanted = datetime.fromtimestamp(hour * 3600, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    found = []
    for week in (1, 2, 3, 4):
        for beside in (-1, 0, 1):
            local = (wanted - timedelta(days=7 * week, hours=-beside)).replace(tzinfo=ZoneInfo(zone))
            found.append(int(local.astimezone(UTC).timestamp() // 3600))
    return found


class Past(NamedTuple):
    """What an hour is held against. `size`: n of a count, n p (1 - p) of a share."""

    middle: float
    spread: float
    size: float


def past_of(counts: Counts, hour: int, first: int, zone: str, share: bool) -> Past | None:
    """None: too little is known."""
    values, tried = [], []
    for then in same_hours(hour, zone):
        if then < first:
            continue
        hits, trials = counts.get(then, (0, 0))
        if not share:
            values.append(2 * math.sqrt(hits + 3 / 8))
        elif trials >= 50:
            values.append(math.log((hits + 0.5) / (trials - hits + 0.5)))
            tried.append(trials)
    if len(values) < 9:
        return None
    middle = median(values)
    spread = median(abs(value - middle) for value in values) / 0.6745
    usual = 1 / (1 + math.exp(-middle))
    size = mean(tried) * usual * (1 - usual) if share else max(0.0, middle**2 / 4 - 3 / 8)
    return Past(middle, spread, size)


def excesses(pasts: Mapping[int, Past | None], hour: int, share: bool) -> list[float]:
    """What each hour of the week before says of the variance beyond chance."""
    week = [past for then in range(hour - 167, hour + 1) if (past := pasts.get(then)) is not None and past.size]
    return [past.spread**2 - 1 / past.size if share else (past.spread**2 - 1) / past.size for past in week]


def off(counts: Counts, pasts: Mapping[int, Past | None], hour: int, share: bool) -> float | None:
    """z of this hour; None: nothing can be said."""
    past = pasts[hour]
    hits, trials = counts.get(hour, (0, 0))
    if past is None or (share and trials < 50):
        return None
    varies = max(0.0, median(excesses(pasts, hour, share) or [0.0]))
    if not share:
        return (2 * math.sqrt(hits + 3 / 8) - past.middle) / max(past.spread, math.sqrt(1 + varies * past.size))
    usual = 1 / (1 + math.exp(-past.middle))
    chance = 1 / (trials * usual * (1 - usual))
    return (math.log((hits + 0.5) / (trials - hits + 0.5)) - past.middle) / max(past.spread, math.sqrt(chance + varies))


def alarms(counts: Counts, zone: str, share: bool) -> list[int]:
    """When an alarm begins: at the end of the second hour that is too high."""
    first, last = min(counts), max(counts)
    pasts = {hour: past_of(counts, hour, first, zone, share) for hour in range(first, last + 1)}
    high = {hour: (off(counts, pasts, hour, share) or 0) > 3.5 for hour in pasts}
    on, found = False, []
    for hour in range(first, last + 1):
        if high[hour] and high.get(hour - 1) and not on:
            found.append((hour + 1) * HOUR)
            on = True
        on = on and high[hour]
    return found


def world(seed: int, share: bool) -> Counts:
    """A rhythm, holes in it, and now and then hours that are out of it."""
    chance = random.Random(seed)
    size = chance.choice([2, 20, 200])
    found, wild = {}, 0
    for hour in range(MONDAY // HOUR, MONDAY // HOUR + HOURS):
        wild = chance.randint(1, 4) if chance.random() < 0.01 else max(0, wild - 1)
        trials = int(size * (1 + (hour % 24) / 12) * chance.uniform(0.7, 1.3)) * (3 if share else 1)
        part = chance.uniform(0.2, 0.5) if wild else chance.uniform(0.01, 0.03)
        hits = round(trials * part) if share else trials * (chance.randint(2, 6) if wild else 1)
        if chance.random() > 0.03 or not found:
            found[hour] = (min(hits, trials) if share else hits, trials)
    return found


@pytest.mark.parametrize("share", [False, True], ids=["counts", "shares"])
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]))
def test_alarms_begin_when_the_twin_says(share: bool, seed: int, zone: str) -> None:
    counts = world(seed, share)
    facts = []
    for hour, (hits, trials) in counts.items():
        if share:
            facts += [Fact(hour * HOUR, "hold.cap", "a", "", hits), Fact(hour * HOUR, "send", "a", "", trials - hits)]
        else:
            facts.append(Fact(hour * HOUR, "letter", "", "sms", hits))
    watch = watching("CapHit" if share else "DeadLetters", Known(zone=zone))
    end = (max(counts) + 1) * HOUR
    assert [at for *_, at in begun(said(watch, facts, end))] == alarms(counts, zone, share)


def test_worlds_have_alarms() -> None:
    """Or nothing would have been compared."""
    assert sum(len(alarms(world(seed, share), "UTC", share)) for seed in range(6) for share in (False, True)) > 10
