"""Alarms of what runs out, and of what grows old."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.kinds import KINDS
from kairos.engine.alarm.series import HOUR, MINUTE, Causes
from kairos.engine.alarm.spec import Alarm, Known


class StockRule:
    """Budgets and coupons: off when what is left would not last for `limit` at the pace of the same time before."""

    def __init__(self, alarm: Alarm, known: Known) -> None:
        self._alarm, self.kind, self._known = alarm, KINDS[alarm.kind], known
        self._limit = alarm.limit or self.kind.limit
        self.causes: Causes = {}
        self._used: Counter[str] = Counter()
        self._left: dict[str, int] = {}
        self._hours: defaultdict[str, deque[list[int]]] = defaultdict(deque)
        self._heard = False

    def know(self, known: Known) -> None:
        self._known, self._heard = known, True

    def hear(self, fact: Fact) -> None:
        if fact.what == "left":
            self._left[fact.subject] = fact.n
            self._heard = True
        else:
            for stock in self._stocks(fact.subject):
                self._use(stock, fact)

    def steps(self, first: int, end: int) -> Iterator[int]:
        """As `SeriesRule.steps`."""
        yield from (minute for minute in range(first, end) if self._step(minute))

    def _step(self, minute: int) -> bool:
        """Looked at where something was used, and once an hour."""
        if not self._heard and minute % 60:
            return False
        self._heard = False
        since = (minute + 1) * MINUTE - self._limit
        before = set(self.causes)
        for stock, total in self._totals().items():
            pace = self._pace(stock, since)
            left = self._left.get(stock, total - self._used[stock])
            if pace and left <= pace:
                words = f"{self.kind.about}: {max(0, left):,}; {pace:,} were used in the last {self._limit // HOUR} h"
                self.causes.setdefault((stock, ""), {})["stock"] = words
            elif left > pace:
                self.causes.pop((stock, ""), None)
        return before != set(self.causes)

    def _totals(self) -> dict[str, int]:
        if self.kind.label == "pool":
            found = {**dict.fromkeys(self._left, 0), **self._known.codes}
        else:
            found = dict(self._known.budgets)
        return {name: n for name, n in found.items() if not self._alarm.subjects or name in self._alarm.subjects}

    def _stocks(self, activity: str) -> tuple[str, ...]:
        if self.kind.label == "pool":
            return self._known.pools.get(activity, ())
        return (self._known.owner.get(activity, activity),)

    def _use(self, stock: str, fact: Fact) -> None:
        hours = self._hours[stock]
        if not hours or hours[-1][0] < fact.at // HOUR:
            hours.append([fact.at // HOUR, 0])
        hours[-1][1] += fact.n
        self._used[stock] += fact.n
        if stock in self._left:
            self._left[stock] -= fact.n
        self._heard = True

    def _pace(self, stock: str, since: int) -> int:
        hours = self._hours[stock]
        while hours and hours[0][0] * HOUR < since - HOUR:
            hours.popleft()
        return sum(used for _, used in hours)


class AgeRule:
    """The watermark, and kept crowds: off when the last sign is older than it may be. `of_time`: `sign` alone tells."""

    def __init__(self, alarm: Alarm, known: Known) -> None:
        self._alarm, self.kind, self._known = alarm, KINDS[alarm.kind], known
        self.of_time = not self.kind.counted
        self.causes: Causes = {}
        self._last: dict[str, int] = {}

    def know(self, known: Known) -> None:
        self._known = known

    def hear(self, fact: Fact) -> None:
        self.sign(fact.subject, fact.at)

    def expect(self, subject: str, at: int) -> None:
        """The first sign is to come: until then age counts from `at` (epoch ms)."""
        self._last.setdefault(subject, at)

    def sign(self, subject: str, at: int) -> None:
        self._last[subject] = max(at, self._last.get(subject, 0))

    def steps(self, first: int, end: int) -> Iterator[int]:
        """As `SeriesRule.steps`."""
        if self._last:
            yield from (minute for minute in range(first, end) if self._step(minute))

    def _step(self, minute: int) -> bool:
        now, before = (minute + 1) * MINUTE, set(self.causes)
        for subject, last in self._last.items():
            limit = self._limit(subject)
            if limit and now - last > limit:
                words = f"{self.kind.about} is {(now - last) // MINUTE:,} min old; {limit // MINUTE:,} min are allowed"
                self.causes.setdefault((subject, ""), {"age": words})
            else:
                self.causes.pop((subject, ""), None)
        return before != set(self.causes)

    def _limit(self, subject: str) -> int:
        """0: it may be as old as it likes."""
        if self._alarm.subjects and subject not in self._alarm.subjects:
            return 0
        return self._alarm.limit or self.kind.limit or 2 * self._known.refresh.get(subject, 0)
