"""What an event of one type touches, and when something may come of it: the index of a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kairos.engine.expression.scope import Scope
from kairos.engine.metric.window import WindowedMetric
from kairos.engine.pattern.spec import Pattern
from kairos.engine.rule.compiled import CompiledActivity


@dataclass(frozen=True, slots=True)
class Opener:
    """An activity of which an event of this type may be the first. `begins`: as in CompiledActivity.

    `alone_after`: how long after such an event (ms, 0: at once) it may cause a decision with none before it; None: not.
    """

    activity: CompiledActivity
    begins: Callable[[Scope], bool] | None
    alone_after: int | None


@dataclass(frozen=True, slots=True)
class Touched:
    """An activity whose pattern has events of this type. `key`: where its runs are kept; `opener`: if one may begin."""

    activity: CompiledActivity
    key: str
    opener: Opener | None


@dataclass(slots=True)
class Handlers:
    """What one event type touches. `openers`: those of `touched`; `alone`: those of `openers` with an `alone_after`.

    When such an event may cause a decision, at the earliest (ms later, 0: at once), given what came before it:
    `with_runs`, open runs under this key; `ever_after`, anything.
    """

    metrics: list[WindowedMetric] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    openers: list[Opener] = field(default_factory=list)
    alone: list[Opener] = field(default_factory=list)
    goals: list[CompiledActivity] = field(default_factory=list)
    with_runs: dict[str, int] = field(default_factory=dict)
    ever_after: int | None = None

    def add(self, activity: CompiledActivity, event_type: str, draining: bool) -> None:
        after, opener = _decides_after(activity, event_type), None
        if event_type in activity.matcher.opening and not draining:
            alone = after if _least_events(activity.spec.pattern) <= 1 else None
            opener = Opener(activity, activity.begins, alone)
            self.openers.append(opener)
            if alone is not None:
                self.alone.append(opener)
        self.touched.append(Touched(activity, draining_key(activity) if draining else activity.name, opener))
        if after is None or activity.matcher.stateless:
            return
        self.ever_after = earliest(self.ever_after, after)
        for key in (activity.name, draining_key(activity)) if draining else (activity.name,):
            self.with_runs[key] = min(after, self.with_runs.get(key, after))


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
    final_absence = steps[-1].kind == "absent"
    if final_absence and len(positive) == 1 and positive[0].times is None:
        return pattern.within if event_type in positive[0].types else None
    if final_absence:
        return 0
    for step in reversed(steps):
        if step.kind == "event" and event_type in step.types:
            return 0
        if step.kind == "event" and not step.optional and not (step.times and step.times.least == 0):
            return None
    return None


def _least_events(pattern: Pattern) -> int:
    """How many events a match takes at least."""
    needed = [step for step in pattern.steps if step.kind == "event" and not step.optional]
    return sum(1 if step.times is None else step.times.least for step in needed)


def earliest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
