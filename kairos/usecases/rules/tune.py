"""`kairos tune`: which setting of a few values meets a wish: every combination is played over the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

import msgspec

from kairos.adapters.rules.side import named_rules
from kairos.engine.measure.spec import Measures
from kairos.usecases.errors import AskError
from kairos.usecases.progress import Progress, silent
from kairos.usecases.rules.compare import History, Played, play_all
from kairos.usecases.rules.spending import cost_of

MOST = 200
"""Combinations at most: each is a run of its own."""


class Setting(msgspec.Struct, frozen=True):
    """One combination, and what it would have done. `busiest` is the most sends in any span of the wish's length.

    `cost`: of the sends; None: the folder has no measures.yaml that says so. `unknown`: kept crowds that are asked, and
    that nobody is known to be in.
    """

    values: dict[str, str]
    sends: int
    users: int
    suppressed: int
    busiest: int | None = None
    cost: float | None = None
    unknown: list[str] = []


class Wish(msgspec.Struct, frozen=True):
    """At most `most` sends in any `per` ms."""

    most: int
    per: int


def tune(
    rules: str,
    history: History,
    choices: Mapping[str, Sequence[str]],
    wish: Wish | None = None,
    progress: Progress = silent,
) -> list[Setting]:
    """A setting for each combination, in the order of `choices`. Raises AskError and what `named_rules` raises."""
    combinations = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
    if len(combinations) > MOST:
        raise AskError(f"{len(combinations)} combinations; at most {MOST} are played")
    sides = [named_rules(rules, None, values) for values in combinations]
    with progress("playing", len(sides)) as done:
        runs = play_all([side.rules for side in sides], history, done)
    return [
        _setting(values, side.measures, run, wish) for values, side, run in zip(combinations, sides, runs, strict=True)
    ]


def best(settings: Sequence[Setting], wish: Wish) -> Setting | None:
    """Of those that meet the wish the one that reaches most users, then sends most; None: none meets it."""
    meets = [one for one in settings if one.busiest is not None and one.busiest <= wish.most]
    return max(meets, key=lambda one: (one.users, one.sends), default=None)


def values_of(text: str) -> list[str]:
    """`1..5` -> 1 2 3 4 5; `5m,10m` -> 5m 10m. Raises AskError."""
    first, dots, last = text.partition("..")
    if not dots:
        return [value.strip() for value in text.split(",")]
    if not first.isdecimal() or not last.isdecimal() or int(first) > int(last) or int(last) - int(first) >= MOST:
        raise AskError(
            f"{text}: expected whole numbers, the smaller first, as in 1..5; other values are listed, as in 5m,10m,30m"
        )
    return [str(number) for number in range(int(first), int(last) + 1)]


def _setting(values: dict[str, str], measures: Measures, run: Played, wish: Wish | None) -> Setting:
    found = run.verdicts
    sends = [one.record for one in found if one.record.outcome == "send"]
    suppressed = sum(one.record.outcome == "suppress" for one in found)
    busiest = _busiest(sorted(one.at for one in sends), wish.per) if wish else None
    cost = cost_of(Counter(one.channel or "" for one in sends), measures)
    users = len({one.user_id for one in sends})
    return Setting(values, len(sends), users, suppressed, busiest, cost, run.unknown)


def _busiest(times: Sequence[int], per: int) -> int:
    """The most of the sorted times that lie in any (t - per, t]."""
    most = first = 0
    for place, time in enumerate(times):
        while times[first] <= time - per:
            first += 1
        most = max(most, place - first + 1)
    return most
