"""Eleven weeks of made-up normal traffic: how often alarms cry without a reason, of one series in a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.kinds import KINDS
from kairos.engine.alarm.spec import Alarms, Known
from kairos.engine.alarm.watch import Watch
from tests.unit.alarm.alarm_kit import DAY, HOUR, MINUTE, MONDAY, begun

LEARNED, WEEKS = 3, 11
SENDING = [("cart", "sms", 80), ("welcome", "email", 900), ("welcome", "push", 6_000)]
"""Activity, channel, messages in an hour of the day."""
MOST = 0.03
KNOWN = Known(
    budgets={"cart": 10**9}, pools={"welcome": ("spring",)}, codes={"spring": 10**9}, refresh={"lapsing": DAY}
)


def rhythm(hours: NDArray[np.int64]) -> NDArray[np.float64]:
    """Busy by day and more so at the week's end, nearly nothing at night."""
    hour, day = hours % 24, hours // 24 % 7
    busy = np.where((hour >= 8) & (hour < 22), 1 + 0.8 * np.sin((hour - 8) / 14 * np.pi), 0.05)
    return busy * np.where(day >= 5, 1.4, 1.0)


def traffic(rng: np.random.Generator) -> Iterator[tuple[int, list[Fact]]]:
    """Each minute's end, and what came in it. No two hours are alike: beyond chance they differ by a tenth."""
    hours = np.arange(WEEKS * 168)
    drawn = []
    for _, _, size in SENDING:
        rate = size * rhythm(hours) * np.exp(rng.normal(0, 0.1, len(hours)))
        sends = rng.poisson(np.repeat(rate / 60, 60))
        drawn.append((sends, rng.binomial(sends, 0.004), rng.binomial(sends, 0.001)))
    for minute in range(len(hours) * 60):
        at, facts = MONDAY + minute * MINUTE, []
        for (activity, channel, _), (sends, failed, unknown) in zip(SENDING, drawn, strict=True):
            if n := int(sends[minute]):
                facts.append(Fact(at, "send", activity, channel, n, "v1"))
                facts.append(Fact(at, "sent", activity, channel, n - int(failed[minute])))
                facts += [Fact(at, "failed", activity, channel, int(f)) for f in [failed[minute]] if f]
                facts += [Fact(at, "unknown", activity, channel, int(u)) for u in [unknown[minute]] if u]
        if minute % 60 == 30:
            facts += beside(at, [int(sends[minute - 30 : minute + 30].sum()) for sends, *_ in drawn], rng)
        yield at + MINUTE, facts


def beside(at: int, sends: list[int], rng: np.random.Generator) -> Iterator[Fact]:
    """What else an hour has."""
    for (activity, channel, _), n in zip(SENDING, sends, strict=True):
        for what, share in (("suppress", 0.3), ("hold.cap", 0.05), ("control", 0.1), ("regret", 0.01)):
            yield Fact(at, what, activity, "", int(rng.binomial(n, share)))
        yield Fact(at, "unsubscribe", activity, channel, int(rng.binomial(n, 0.002)))
        yield Fact(at, "letter", "", channel, int(rng.poisson(0.3)))
    if at % DAY < HOUR:
        yield Fact(at, "snapshot", "lapsing")


@pytest.mark.slow
def test_eight_weeks_of_normal_traffic_are_silent() -> None:
    watch = Watch(Alarms(), KNOWN)
    cried: Counter[str] = Counter()
    for end, facts in traffic(np.random.default_rng(19)):
        for fact in facts:
            watch.hear(fact)
        if end % HOUR == 0:
            cried.update(alarm for alarm, *_ in begun(watch.advance(end, end)))
    series = len(KINDS) * len(SENDING) / 2  # half of them are of activities, or of everything
    rate = cried.total() / (WEEKS - LEARNED) / series
    assert rate <= MOST, f"{cried.total()} false alarms, {rate:.4f} a week and series: {dict(cried)}"
    assert all(number / (WEEKS - LEARNED) / len(SENDING) <= 2 * MOST for number in cried.values()), cried
