"""When open matches end, where a user has many of one activity: a heap of times, so that each instant asks only those
that are due, however many values of `per` wait for later ones. It is made anew where it is asked for, and not kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from heapq import heapify, heappop, heappush

from kairos.engine.pattern import Runs
from kairos.engine.pattern.matcher import Matcher
from kairos.engine.rule.handlers import earliest
from kairos.engine.user.state import ActivityRuns

MANY = 32
"""So many values of `per` are asked one by one as fast."""
SLACK = 4
"""So many entries of a value, on average, before the heap is made anew: one that was touched often left many behind."""

ENDS = "ends"
"""Name of an attribute of `ActivityRuns`."""

End = Callable[[Runs], int | None]


class Heap:
    """An entry may be stale: it counts where the part itself says so once the entry is the first."""

    def __init__(self, parts: Mapping[str, Runs], end: End) -> None:
        self._parts, self._end = parts, end
        self._make()

    def _make(self) -> None:
        ends = ((self._end(runs), part) for part, runs in self._parts.items())
        self._entries = [(end, part) for end, part in ends if end is not None]
        heapify(self._entries)

    def note(self, part: str) -> None:
        """This part is another one now."""
        if len(self._entries) > SLACK * max(MANY, len(self._parts)):
            self._make()
        elif (end := self._end(self._parts[part])) is not None:
            heappush(self._entries, (end, part))

    def first(self) -> int | None:
        """The earliest time (ms)."""
        while self._entries:
            noted, part = self._entries[0]
            runs = self._parts.get(part)
            end = None if runs is None else self._end(runs)
            if end == noted:
                return noted
            heappop(self._entries)
            if end is not None:
                heappush(self._entries, (end, part))
        return None

    def take(self, now: int) -> set[str]:
        """The parts that end by `now` (ms); each is to be noted again, where it is left."""
        found = set()
        while (first := self.first()) is not None and first <= now:
            found.add(heappop(self._entries)[1])
        return found


class Ends:
    """Of the parts of one activity: `over`, when anything of a part ends, and `decided`, when that may give a match."""

    def __init__(self, parts: Mapping[str, Runs], matcher: Matcher) -> None:
        self.matcher = matcher
        self.decided = Heap(parts, matcher.next_deadline)
        self.over = Heap(parts, partial(first_end, matcher))


def over_by(runs_of: ActivityRuns, matcher: Matcher, now: int) -> list[str]:
    """The parts that time may change by `now` (ms), in their order."""
    ends = _ends(runs_of, matcher)
    if ends is None:
        return list(runs_of.parts)
    found = ends.over.take(now)
    return [*found] if len(found) < 2 else [part for part in runs_of.parts if part in found]


def next_decided(runs_of: ActivityRuns, matcher: Matcher) -> int | None:
    """The earliest time (ms) at which a part may give a match."""
    if (ends := _ends(runs_of, matcher)) is not None:
        return ends.decided.first()
    times = (matcher.next_deadline(runs) for runs in runs_of.parts.values())
    return min((time for time in times if time is not None), default=None)


def note(runs_of: ActivityRuns, part: str) -> None:
    """What is open of this part is something else now, or nothing."""
    ends: Ends | None = getattr(runs_of, ENDS, None)  # which makes no __dict__ where there is none
    if ends is not None and part in runs_of.parts:
        ends.over.note(part)
        ends.decided.note(part)


def _ends(runs_of: ActivityRuns, matcher: Matcher) -> Ends | None:
    """None: they are few. Another definition has other ends."""
    known: Ends | None = getattr(runs_of, ENDS, None)
    if known is not None and known.matcher is matcher:
        return known
    if len(runs_of.parts) <= MANY:
        return None
    ends = Ends(runs_of.parts, matcher)
    setattr(runs_of, ENDS, ends)
    return ends


def first_end(matcher: Matcher, runs: Runs) -> int | None:
    """When the first of these is over, a match or not."""
    return earliest(matcher.next_deadline(runs), matcher.expiry(runs))
