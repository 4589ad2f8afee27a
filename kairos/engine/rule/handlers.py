"""What an event of one type touches, and when something may come of it: the index of a program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kairos.engine.expression import parse
from kairos.engine.expression.scope import Scope
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.pattern.spec import Pattern
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.rule.index import FEW, ConditionIndex


@dataclass(frozen=True, slots=True)
class Opener:
    """An activity of which an event of this type may be the first. `begins`: what holds then; None: nothing is known.
    `reads_past`: it asks for metrics as they stand before the event.

    `alone_after`: how long after such an event (ms, 0: at once) it may cause a decision with none before it; None: not.
    """

    activity: CompiledActivity
    begins: Callable[[Scope], bool] | None
    reads_past: bool
    alone_after: int | None


@dataclass(frozen=True, slots=True)
class Touched:
    """An activity whose pattern has events of this type. `opener`: if one of them may begin it.

    `key`: where its runs are kept; of a `draining` one apart from those of the current definition.
    """

    activity: CompiledActivity
    key: str
    draining: bool
    opener: Opener | None


@dataclass(frozen=True, slots=True)
class Joining:
    """An activity whose matches end with an absence, and begin with several events: one of them may join open runs.

    `after`: how long after it (ms), at the earliest, that causes a decision where those are not over sooner.
    """

    activity: CompiledActivity
    after: int


@dataclass
class Handlers:
    """What one event type touches. `journeys`: those to whose exits, goals or waits it matters.

    `openers`: those of `touched`; `alone`: those of `openers` with an `alone_after`; `reads_past`: as of one of them.

    When such an event may cause a decision, at the earliest (ms later, 0: at once), given what came before it:
    `with_runs`, open runs under this key, whenever they began; `joining`, likewise, but not before those are over;
    `ever_after`, anything. `absences`: the names of activities that end with an
    absence and whose patterns have such events. `consents`: it says what users agree to; `crowds`:
    it may let them enter or leave a crowd that some rule listens to.
    """

    metrics: list[CompiledMetric] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    openers: list[Opener] = field(default_factory=list)
    alone: list[Opener] = field(default_factory=list)
    goals: list[CompiledActivity] = field(default_factory=list)
    journeys: list[CompiledJourney] = field(default_factory=list)
    with_runs: dict[str, int] = field(default_factory=dict)
    joining: dict[str, Joining] = field(default_factory=dict)
    ever_after: int | None = None
    reads_past: bool = False
    absences: set[str] = field(default_factory=set)
    consents: bool = False
    crowds: bool = False

    def add(self, activity: CompiledActivity, event_type: str, draining: bool, parted: Set[str]) -> None:
        """`parted`: metrics that have a value for each `per`."""
        after, opener = _decides_after(activity, event_type), None
        if event_type in activity.matcher.opening and not draining:
            alone = after if _least_events(activity.spec.pattern) <= 1 else None
            told = activity.begins
            if told is not None and told.priors.isdisjoint(parted):
                opener = Opener(activity, told.holds, bool(told.priors), alone)
            else:
                opener = Opener(activity, None, False, alone)
            self.openers.append(opener)
            self.reads_past |= opener.reads_past
            if alone is not None:
                self.alone.append(opener)
        if activity.matcher.has_final_absence:
            self.absences.add(activity.name)
        self.touched.append(Touched(activity, draining_key(activity) if draining else activity.name, draining, opener))
        if after is None or activity.matcher.stateless:
            return
        keys = (activity.name, draining_key(activity)) if draining else (activity.name,)
        if _joins(activity.spec.pattern):
            self.ever_after = 0  # nobody knows when what it joins began
            self.joining |= {key: Joining(activity, after) for key in keys}
            return
        self.ever_after = earliest(self.ever_after, after)
        for key in keys:
            self.with_runs[key] = min(after, self.with_runs.get(key, after))

    def may_begin(self, props: Mapping[str, Any]) -> Sequence[Opener]:
        """Of `openers`, in its order: at least those whose conditions hold of these props."""
        openers = self.openers
        return openers if len(openers) <= FEW else [openers[n] for n in self._opening.find(props)]

    def may_decide(self, props: Mapping[str, Any]) -> Sequence[Opener]:
        """As `may_begin`, of `alone`."""
        if len(self.openers) <= FEW:
            return self.alone
        return [opener for opener in self.may_begin(props) if opener.alone_after is not None]

    def counting(self, props: Mapping[str, Any]) -> Sequence[CompiledMetric]:
        """Of `metrics`, in its order: at least those that count an event with these props."""
        metrics = self.metrics
        return metrics if len(metrics) <= FEW else [metrics[n] for n in self._counting.find(props)]

    def touched_by(self, props: Mapping[str, Any], runs: Collection[str]) -> Sequence[Touched]:
        """Of `touched`, in its order: at least what such an event may begin, and what has runs under these keys."""
        if len(self.touched) <= FEW:
            return self.touched
        found = {self._place[n] for n in self._opening.find(props)}
        found.update(n for key in self.concerned(runs) for n in self._by_key[key])
        return [self.touched[n] for n in sorted(found)]

    def concerned(self, runs: Collection[str]) -> Sequence[str]:
        """Of the keys under which there are runs: those of activities whose patterns have events of this type."""
        return in_both(self._by_key, runs)

    @cached_property
    def _opening(self) -> ConditionIndex:
        return ConditionIndex(opener.activity.opening for opener in self.openers)

    @cached_property
    def _place(self) -> list[int]:
        """Of each opener: its number in `touched`."""
        return [n for n, touched in enumerate(self.touched) if touched.opener is not None]

    @cached_property
    def _counting(self) -> ConditionIndex:
        wheres = (metric.spec.where for metric in self.metrics)
        return ConditionIndex(parse(where).tree if where else None for where in wheres)

    @cached_property
    def _by_key(self) -> dict[str, list[int]]:
        """Where runs are kept -> numbers of those in `touched` that they belong to."""
        by_key: dict[str, list[int]] = {}
        for n, touched in enumerate(self.touched):
            for key in {touched.activity.name, touched.key}:
                by_key.setdefault(key, []).append(n)
        return by_key


def draining_key(activity: CompiledActivity) -> str:
    """Where the runs of a draining definition are kept, beside those of the new one."""
    return f"{activity.name}@{activity.version}"


def _decides_after(activity: CompiledActivity, event_type: str) -> int | None:
    """How long after an event of this type it can, at the earliest, take part in a decision of this activity.

    None: never by itself (another event must come after it). A timer is worth its price only where this is not None.
    """
    pattern = activity.spec.pattern
    steps = pattern.steps
    positive = [step for step in steps if step.kind == "event"]
    if pattern.after_match.kind not in ("exclusive", "no_skip"):
        return 0  # any event may end the run that a finished match waits for
    if steps[-1].kind == "not_next":
        return 0  # whichever event it passes over
    if steps[-1].kind == "absent":
        return earliest(pattern.within, steps[-1].within) if any(event_type in s.types for s in positive) else None
    for step in reversed(steps):
        if step.kind == "event" and event_type in step.types:
            return 0
        if step.kind == "event" and not step.optional and not (step.times and step.times.least == 0):
            return None
    return None


def _joins(pattern: Pattern) -> bool:
    """Whether a match ends with an absence that several events may come before."""
    positive = [step for step in pattern.steps if step.kind == "event"]
    return pattern.steps[-1].kind == "absent" and (len(positive) > 1 or positive[0].times is not None)


def _least_events(pattern: Pattern) -> int:
    """How many events a match takes at least."""
    needed = [step for step in pattern.steps if step.kind == "event" and not step.optional]
    return sum(1 if step.times is None else step.times.least for step in needed)


def in_both(one: Collection[str], other: Collection[str]) -> list[str]:
    """Each may be the one with many: it is the other that is gone through."""
    few, many = (one, other) if len(one) < len(other) else (other, one)
    return [key for key in few if key in many]


def earliest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
