"""A slow, obvious matcher: all matches of a pattern by trying every way to hand events to steps.

It says what a match *is*, without automaton, states or order of evaluation, for `no_skip` patterns without `greedy`.
A way is a list of (event index, step index). It is a match if each step got as many events as it wants, each event was
acceptable to its step when it came, and what lies between two taken events may be passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kairos.engine.event import Event
from kairos.engine.expression.scope import Facts
from kairos.engine.pattern import Pattern, Step
from tests.conformance.conditions import compile_condition
from tests.conformance.harness import Steps

Way = tuple[tuple[int, int], ...]
END_OF_TIME = 1 << 60


@dataclass(frozen=True)
class Found:
    """A match: ids by step, and the times at which it is decided and began."""

    steps: Steps
    at: int
    first: int


class Definition:
    """One pattern over one stream."""

    def __init__(self, pattern: Pattern, events: Sequence[Event]) -> None:
        types = {name for step in pattern.steps for name in step.types}
        self.pattern = pattern
        self.steps = pattern.steps
        self.events = [event for event in events if event.type in types]

    def matches(self) -> list[Found]:
        return [found for way in self._ways((), 0) if (found := self._decided(way)) is not None]

    # Ways to hand out events

    def _ways(self, way: Way, index: int) -> Iterator[Way]:
        """All ways that go on from `way` with the steps from `index` on."""
        if index == len(self.steps):
            if way:
                yield way
            return
        step = self.steps[index]
        if step.kind != "event":
            yield from self._ways(way, index + 1)
            return
        least, most = (1, 1) if step.times is None else (step.times.least, step.times.most)
        if step.optional or least == 0:
            yield from self._ways(way, index + 1)
        yield from self._repeat(way, index, max(1, least), len(self.events) if most is None else most)

    def _repeat(self, way: Way, index: int, least: int, most: int, taken: int = 0) -> Iterator[Way]:
        if taken >= least:
            yield from self._ways(way, index + 1)
        if taken == most:
            return
        for event in range(way[-1][0] + 1 if way else 0, len(self.events)):
            if self._takes(way, index, event) and self._reaches(way, index, event, first=taken == 0):
                yield from self._repeat((*way, (event, index)), index, least, most, taken + 1)

    def _takes(self, way: Way, index: int, event: int) -> bool:
        return self._is(way, index, event) and not self._until(way, index, event)

    def _reaches(self, way: Way, index: int, event: int, first: bool) -> bool:
        """Whether everything between the last event taken and this one may be passed over, and comes in time."""
        if not way:
            return True
        step = self.steps[index]
        if self._is_decided(way, index, event, first):
            return False
        between = range(way[-1][0] + 1, event)
        contiguity = step.next if first else {"consecutive": "strict"}.get(step.inside, step.inside)
        if contiguity == "strict" and between:
            return False
        if contiguity == "relaxed" and any(self._is(way, index, other) for other in between):
            return False
        if not first and any(self._until(way, index, other) for other in between):
            return False
        return not (first and self._forbidden(way, index, event)) and self._in_time(way, event)

    # What must not come

    def _forbidden(self, way: Way, index: int, event: int) -> bool:
        """Whether an `absent` or `not_next` between the step taken last and step `index` is violated up to `event`."""
        between = range(way[-1][1] + 1, index)
        for place in between:
            step = self.steps[place]
            if step.kind == "not_next" and self._is(way, place, way[-1][0] + 1):
                return True
            if step.kind == "absent" and self._comes(way, place, event):
                return True
        return False

    def _comes(self, way: Way, place: int, event: int) -> bool:
        """Whether what step `place` forbids comes up to `event`, itself included.

        Right after a repetition it is forbidden from the repetition's first event on.
        """
        since = way[-1][0]
        if way[-1][1] == place - 1:
            since = min(taken for taken, step in way if step == place - 1)
        for other in range(since + 1, event + 1):
            before = tuple(part for part in way if part[0] < other)
            if self._is(before, place, other):
                return True
        return False

    # Time

    def _in_time(self, way: Way, event: int) -> bool:
        return self.events[event].time < self._end(way)

    def _end(self, way: Way) -> int:
        begin = way[0 if self.pattern.within_kind == "first_last" else -1][0]
        return END_OF_TIME if self.pattern.within is None else self.events[begin].time + self.pattern.within

    def _deadline(self, way: Way) -> int:
        """Of a final absence: its own, since the last event, or the pattern's; the earlier one."""
        own = self.steps[-1].within
        return self._end(way) if own is None else min(self._end(way), self.events[way[-1][0]].time + own)

    def _is_soon(self, way: Way, index: int, event: int) -> bool:
        """The step's own `within`; that of a final absence is its deadline."""
        within, before = self.steps[index].within, [taken for taken, step in way if step < index]
        if within is None or not before or (index == len(self.steps) - 1 and self.steps[index].kind == "absent"):
            return True
        return self.events[event].time < self.events[before[-1]].time + within

    def _is_decided(self, way: Way, index: int, event: int, first: bool) -> bool:
        """Whether the way needed only time before this event, and had it."""
        if self.steps[-1].kind != "absent" or self.events[event].time < self._deadline(way):
            return False
        step, taken = self.steps[index], sum(1 for _, other in way if other == index)
        least = 1 if step.times is None else step.times.least
        enough = step.optional or least == 0 if first else taken >= least
        return enough and all(_may_be_missing(later) for later in self.steps[index + 1 :])

    def _decided(self, way: Way) -> Found | None:
        """The match that a complete way is, if what its last steps forbid does not come."""
        last, ending = way[-1][0], self.steps[-1].kind
        at = self.events[last].time
        if ending == "absent":
            at = self._deadline(way)
            before = [event for event in range(len(self.events)) if self.events[event].time < at]
            if self._forbidden(way, len(self.steps), max(before)):
                return None
        elif ending == "not_next":
            if last + 1 == len(self.events) or not self._in_time(way, last + 1):
                return None
            if self._forbidden(way, len(self.steps), last + 1):
                return None
            at = self.events[last + 1].time
        steps: Steps = {}
        for event, step in way:
            steps.setdefault(self.steps[step].name, []).append(self.events[event].id)
        return Found(steps, at, self.events[way[0][0]].time)

    # Questions about one event

    def _is(self, way: Way, index: int, event: int) -> bool:
        """Whether the event is one that the step names and its `where` accepts, given what the way has taken."""
        if event >= len(self.events):
            return False
        step = self.steps[index]
        named = self.events[event].type in step.types
        return named and self._is_soon(way, index, event) and self._holds(step.where, way, event)

    def _until(self, way: Way, index: int, event: int) -> bool:
        step: Step = self.steps[index]
        return step.until is not None and self._holds(step.until, way, event)

    def _holds(self, condition: object, way: Way, event: int) -> bool:
        if condition is None:
            return True
        scope = Facts()
        scope.event, scope.props = self.events[event], self.events[event].props
        taken: dict[str, list[Event]] = {}
        for other, step in way:
            taken.setdefault(self.steps[step].name, []).append(self.events[other])
        scope.steps = taken
        assert isinstance(condition, str)
        return compile_condition(condition)(scope)


def _may_be_missing(step: Step) -> bool:
    return step.kind != "event" or step.optional or (step.times is not None and step.times.least == 0)
