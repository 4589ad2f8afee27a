"""What a comparison says: a row an activity, causes, peaks; and every difference. Users can be compared apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.compare.difference import CLASSES, Difference, classify, difference
from kairos.engine.compare.pairing import Pair, pairs
from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import Verdict
from kairos.engine.decision import Record
from kairos.engine.rule.model import RuleSet
from kairos.engine.time_zone import local

MINUTE = 60_000


class Row(msgspec.Struct):
    """One activity: pairs by class, sends (each attempt) and the users they go to, in A and in B."""

    activity: str
    same: int = 0
    added: int = 0
    removed: int = 0
    moved: int = 0
    rerouted: int = 0
    reworded: int = 0
    re_reasoned: int = 0
    sends_a: int = 0
    sends_b: int = 0
    users_a: int = 0
    users_b: int = 0

    def of_a(self) -> int:
        """|A|: what A has, and what faces it."""
        return self._in_both() + self.removed

    def of_b(self) -> int:
        return self._in_both() + self.added

    def _in_both(self) -> int:
        return self.same + self.moved + self.rerouted + self.reworded + self.re_reasoned


COUNTS = tuple(field for field in Row.__struct_fields__ if field != "activity")


class Cause(msgspec.Struct, frozen=True, rename={"kind": "class"}):
    kind: str
    cause: str
    n: int


class Peak(msgspec.Struct, frozen=True):
    """The most sends of a channel within a minute of the clock."""

    channel: str
    a: int
    b: int


class Busy(msgspec.Struct, frozen=True):
    """The sends of a channel within one minute of the clock (`minute`: minutes since 1970), in A and in B."""

    channel: str
    minute: int
    a: int = 0
    b: int = 0


class Pressure(msgspec.Struct, frozen=True):
    """How often a cap stood in the way: attempts that it held at first, and that it refused in the end."""

    cap: str
    held_a: int = 0
    held_b: int = 0
    refused_a: int = 0
    refused_b: int = 0


class Sent(msgspec.Struct, frozen=True):
    """The sends of a channel."""

    channel: str
    a: int
    b: int


class Tally(msgspec.Struct, frozen=True):
    """What was found about some users; tallies of other users can be put together with it. `differences` by time."""

    rows: list[Row]
    busy: list[Busy]
    differences: list[Difference]
    pressure: list[Pressure] = []


class Comparison(msgspec.Struct, frozen=True):
    """`differences` by time, activity, user."""

    activities: list[Row]
    causes: list[Cause]
    peaks: list[Peak]
    differences: list[Difference]
    sends: list[Sent] = []
    pressure: list[Pressure] = []


class InvariantError(Exception):
    """A comparison that does not add up: a mistake of Kairos, never of the rules."""


def compare(a: Side, b: Side, start: int | None = None, end: int | None = None) -> Comparison:
    """Of all users at once. Raises InvariantError."""
    return gathered([tally(a, b, start, end)])


def tally(a: Side, b: Side, start: int | None = None, end: int | None = None) -> Tally:
    """Counts pairs of which one verdict at least has `start` <= `at` < `end` (epoch ms, None: open).

    Raises InvariantError where the classes do not add up.
    """
    reshaped = reshaped_activities(a.rules, b.rules)
    found = [pair for pair in pairs(a.verdicts, b.verdicts, reshaped) if _within(pair, start, end)]
    return _tally((a, b), found, reshaped)


def daily(whole: tuple[Side, Side], start: int | None, end: int | None, zone: ZoneInfo) -> list[tuple[str, Tally]]:
    """The tally cut into days of that zone, in order. A pair belongs to the day of A's verdict, else of B's."""
    reshaped = reshaped_activities(whole[0].rules, whole[1].rules)
    days: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs(whole[0].verdicts, whole[1].verdicts, reshaped):
        if _within(pair, start, end):
            days[local(_any(*pair).record.at, zone).date().isoformat()].append(pair)
    return [(day, _tally(whole, days[day], reshaped)) for day in sorted(days)]


def _tally(sides: tuple[Side, Side], found: Sequence[Pair], reshaped: frozenset[str]) -> Tally:
    a, b = sides
    rows = {name: Row(name) for name in sorted(a.rules.activities.keys() | b.rules.activities.keys())}
    told: list[Difference] = []
    for first, second in found:
        activity = _any(first, second).record.activity
        kind = classify(first, second, sides, activity in reshaped)
        if kind is None:
            continue
        row = rows.setdefault(activity, Row(activity))
        setattr(row, kind, getattr(row, kind) + 1)
        if kind != "same":
            told.append(difference(kind, first, second, sides, activity in reshaped))
    _count_sends(rows, found)
    _check(rows, found)
    told.sort(key=lambda one: one.order)
    return Tally(list(rows.values()), _busy(found), told, _pressure(found))


def gathered(tallies: Iterable[Tally]) -> Comparison:
    """The tallies put together. No two of them may hold the same user."""
    rows: dict[str, Row] = {}
    busy: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    differences: list[Difference] = []
    pressure: list[Pressure] = []
    for each in tallies:
        pressure += each.pressure
        for row in each.rows:
            known = rows.setdefault(row.activity, Row(row.activity))
            for count in COUNTS:
                setattr(known, count, getattr(known, count) + getattr(row, count))
        for one in each.busy:
            sends = busy[one.channel, one.minute]
            sends[0] += one.a
            sends[1] += one.b
        differences += each.differences
    differences.sort(key=lambda one: one.order)
    counted = Counter((one.kind, one.cause) for one in differences)
    ranked = sorted(counted.items(), key=lambda item: (CLASSES.index(item[0][0]), -item[1], item[0][1]))
    causes = [Cause(kind, cause, n) for (kind, cause), n in ranked]
    ordered = [rows[name] for name in sorted(rows)]
    return Comparison(ordered, causes, _peaks(busy), differences, _sent(busy), _summed(pressure))


def reshaped_activities(a: RuleSet, b: RuleSet) -> frozenset[str]:
    """Activities of both whose pattern differs: their matches may come of other events."""
    both = a.activities.keys() & b.activities.keys()
    return frozenset(name for name in both if a.activities[name].pattern != b.activities[name].pattern)


def _within(pair: Pair, start: int | None, end: int | None) -> bool:
    times = [verdict.record.at for verdict in pair if verdict is not None]
    return any((start is None or time >= start) and (end is None or time < end) for time in times)


def _any(first: Verdict | None, second: Verdict | None) -> Verdict:
    verdict = first or second
    assert verdict is not None
    return verdict


def _sends(found: Iterable[Pair], place: int) -> list[Record]:
    verdicts = (pair[place] for pair in found)
    return [verdict.record for verdict in verdicts if verdict is not None and verdict.record.outcome == "send"]


def _count_sends(rows: dict[str, Row], found: Sequence[Pair]) -> None:
    for place, name in enumerate("ab"):
        users: defaultdict[str, set[str]] = defaultdict(set)
        sends: Counter[str] = Counter()
        for record in _sends(found, place):
            sends[record.activity] += 1
            users[record.activity].add(record.user_id)
        for activity, number in sends.items():
            setattr(rows[activity], f"sends_{name}", number)
            setattr(rows[activity], f"users_{name}", len(users[activity]))


def _busy(found: Sequence[Pair]) -> list[Busy]:
    a, b = (Counter((one.channel or "", one.at // MINUTE) for one in _sends(found, place)) for place in (0, 1))
    return [Busy(*minute, a[minute], b[minute]) for minute in sorted(a.keys() | b.keys())]


def _peaks(busy: Mapping[tuple[str, int], Sequence[int]]) -> list[Peak]:
    highest: dict[str, tuple[int, int]] = {}
    for (channel, _), (a, b) in busy.items():
        most_a, most_b = highest.get(channel, (0, 0))
        highest[channel] = (max(a, most_a), max(b, most_b))
    return [Peak(channel, *highest[channel]) for channel in sorted(highest)]


def _sent(busy: Mapping[tuple[str, int], Sequence[int]]) -> list[Sent]:
    sends: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (channel, _), both in busy.items():
        for place, number in enumerate(both):
            sends[channel][place] += number
    return [Sent(channel, *sends[channel]) for channel in sorted(sends)]


def _pressure(found: Iterable[Pair]) -> list[Pressure]:
    """Of whatever was asked, also where nobody was contacted in either."""
    told: list[Pressure] = []
    for pair in found:
        for side, verdict in zip("ab", pair, strict=True):
            if verdict is None:
                continue
            refused = verdict.record.reason if verdict.record.outcome == "suppress" else None
            for kind, reason in (("held", verdict.held_for), ("refused", refused)):
                if reason is not None and reason.startswith("cap:"):
                    told.append(Pressure(reason.removeprefix("cap:"), **{f"{kind}_{side}": 1}))
    return _summed(told)


def _summed(told: Iterable[Pressure]) -> list[Pressure]:
    names = Pressure.__struct_fields__[1:]
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in told:
        sums[one.cap].update({name: getattr(one, name) for name in names})
    return [Pressure(cap, *(sums[cap][name] for name in names)) for cap in sorted(sums)]


def _check(rows: dict[str, Row], found: Sequence[Pair]) -> None:
    """|A| = same + changed + removed, |B| = same + changed + added: counted anew, from the verdicts alone."""
    for place, of in ((0, Row.of_a), (1, Row.of_b)):
        counted: Counter[str] = Counter()
        for pair in found:
            mine, other = pair[place], pair[1 - place]
            # What faces a contact counts with it, and a refusal that faces none is nobody's.
            if mine is not None and (mine.contacts or (other is not None and not other.contacts)):
                counted[mine.record.activity] += 1
        for name, row in rows.items():
            if of(row) != counted[name]:
                raise InvariantError(f"{name}: {of(row)} verdicts by class, {counted[name]} by count")
