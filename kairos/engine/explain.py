"""The story of one user, taken down while the engine runs: what each activity took, what it did not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.explain_gates import reason_of_gate
from kairos.engine.expression.scope import Scope
from kairos.engine.gates import Verdict
from kairos.engine.moment import Moment
from kairos.engine.pattern import Match, Progress, Runs, Step
from kairos.engine.rule.compile import CompiledActivity, Plan
from kairos.engine.telling import condition_values, duration, name_steps, quantity
from kairos.engine.user_state import Case

Kind = Literal["took", "missed", "ended", "waits", "gate", "record"]


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the story, at event time `at` (ms). `missed`: a near miss."""

    at: int
    kind: Kind
    text: str


class Story:
    """An engine `Observer` for one user; the engine's `moment` says whose turn it is.

    After the run `tell` gives the lines of an activity in order of time.
    """

    def __init__(self, user_id: str, moment: Moment) -> None:
        self._user_id = user_id
        self._moment = moment
        self._lines: dict[str, list[Line]] = {}
        self._open: dict[tuple[str, str], list[Progress]] = {}
        self._activities: dict[str, CompiledActivity] = {}
        self._passed: dict[tuple[str, str, int], list[str]] = {}

    # -------------------------------------------------------------------------------------- as the engine's observer
    def event(
        self, activity: CompiledActivity, part: str, event: Event, before: Runs | None, after: Runs | None,
        matches: list[Match], scope: Scope,
    ) -> None:  # fmt: skip
        if self._moment.user_id != self._user_id:
            return
        self._activities[activity.name] = activity
        matcher = activity.matcher
        self._expire(activity, part, event.time)
        was = [p for p in matcher.progress(before) if p.deadline is None or p.deadline > event.time]
        now = matcher.progress(after)
        taken = _taken_by(event, [p for p in now if p not in was], matches)
        if taken:
            self._say(activity, event.time, "took", f"{_called(event)} is taken as {name_steps(taken)}{_of(part)}")
        else:
            for text in _misses(activity, event, was, before, scope):
                self._say(activity, event.time, "missed", f"{_called(event)} {text}{_of(part)}")
        if matches:
            self._say(activity, event.time, "took", _completed(matches))
        elif not taken:
            for progress in (p for p in was if p not in now):
                self._say(activity, event.time, "ended", f"{_called(event)} ends the match of {_reached(progress)}")
        for progress in now:
            if progress not in was:
                self._say(activity, event.time, "waits", _waits(activity, progress))
        self._open[activity.name, part] = now

    def gate(
        self, activity: CompiledActivity, case: Case, now: int, gate: str, verdict: Verdict | None, scope: Scope
    ) -> None:
        if self._moment.user_id != self._user_id:
            return
        self._activities[activity.name] = activity
        self._close(activity, case, now)
        key = (activity.name, case.occurrence, now)
        if verdict is None:
            self._passed.setdefault(key, []).append(gate.replace("_", " "))
            return
        if passed := self._passed.pop(key, None):
            self._say(activity, now, "gate", f"passes {', '.join(passed)}")
        self._say(activity, now, "gate", reason_of_gate(gate, activity, verdict, self._moment))

    # -------------------------------------------------------------------------------------------------- afterwards
    def tell(self, activity: str, records: Sequence[Record], end: int) -> list[Line]:
        """The activity's lines and, of the records, those of this user, in order of time; `end`: when the run ended."""
        known = self._activities.get(activity)
        if known is not None:
            for name, part in list(self._open):
                if name == activity:
                    self._expire(known, part, end)
        through = [Line(at, "gate", "passes every gate") for name, _, at in self._passed if name == activity]
        mine = [r for r in records if r.user_id == self._user_id and r.activity == activity]
        lines = self._lines.get(activity, []) + through + [Line(r.at, "record", tell_record(r)) for r in mine]
        return sorted(lines, key=lambda line: line.at)

    def _say(self, activity: CompiledActivity, at: int, kind: Kind, text: str) -> None:
        self._lines.setdefault(activity.name, []).append(Line(at, kind, text))

    def _expire(self, activity: CompiledActivity, part: str, now: int) -> None:
        """Partial matches whose time was over before `now`, and that came to nothing."""
        still = []
        for progress in self._open.get((activity.name, part), ()):
            if progress.deadline is None or progress.deadline > now:
                still.append(progress)
            else:
                text = f"time is over for {_reached(progress)}: {_lacked(activity, progress)}"
                self._say(activity, progress.deadline, "missed", text)
        self._open[activity.name, part] = still

    def _close(self, activity: CompiledActivity, case: Case, now: int) -> None:
        """A match that its deadline decided is not a partial one any more."""
        steps = {name: tuple(event.id for event in events) for name, events in case.steps.items()}
        running = self._open.get((activity.name, case.part), [])
        for progress in running:
            if progress.deadline == now and dict(progress.steps) == steps:
                awaited = " or ".join(activity.spec.pattern.steps[-1].types)
                self._say(activity, now, "took", f"no {awaited} came in time: the trigger is complete")
                running.remove(progress)
                return


def tell_record(record: Record) -> str:
    via = f" by {record.channel}" if record.channel else ""
    why = f": {record.reason}" if record.reason else ""
    attempt = f" (attempt {record.attempt})" if record.attempt else ""
    return f"-> {record.outcome}{via}{why}{attempt}"


def starters(plan: Plan, activity: str) -> tuple[str, ...]:
    """The event types that can begin a match of this activity."""
    types: list[str] = []
    for step in plan.activities[activity].spec.pattern.steps:
        if step.kind != "event":
            break
        types += step.types
        if not (step.optional or (step.times and step.times.least == 0)):
            break
    return tuple(types)


def _taken_by(event: Event, new: Sequence[Progress], matches: Sequence[Match]) -> list[str]:
    """The steps that took the event, without repetition."""
    taken = [name for progress in new for name, ids in progress.steps.items() if ids[-1:] == (event.id,)]
    taken += [name for match in matches for name, events in match.steps.items() if events[-1].id == event.id]
    return list(dict.fromkeys(taken))


def _misses(
    activity: CompiledActivity, event: Event, was: Sequence[Progress], before: Runs | None, scope: Scope
) -> Iterator[str]:
    """For each step that waits for an event of this type and did not take it: what its condition compared."""
    steps = activity.spec.pattern.steps
    by_id = {} if before is None else {kept.id: kept for kept in before.events.values()}
    for step in steps:
        if event.type not in step.types or step.where is None:
            continue
        waiting: list[Mapping[str, Sequence[str]]] = [p.steps for p in was if p.waits_for == step.name]
        if step.kind == "event" and _may_start(steps, step):
            waiting.append({})
        told = set()
        for reached in waiting:
            scope.steps = {name: [by_id[i] for i in ids if i in by_id] for name, ids in reached.items()}
            text = f"does not count for {name_steps([step.name])}: {condition_values(step.where, scope)}"
            if text not in told:
                told.add(text)
                yield text
    scope.steps = {}


def _may_start(steps: Sequence[Step], step: Step) -> bool:
    before = steps[: steps.index(step)]
    return all(s.kind == "event" and (s.optional or (s.times is not None and s.times.least == 0)) for s in before)


def _waits(activity: CompiledActivity, progress: Progress) -> str:
    """What a partial match needs, and until when."""
    spec = activity.spec.pattern
    step = next(s for s in spec.steps if s.name == progress.waits_for)
    within = f" within {duration(spec.within)}" if spec.within is not None else ""
    if step.kind != "event":
        return f"waits{within} that no {' or '.join(step.types)} comes"
    return f"waits{within} for {quantity(step, len(progress.steps.get(step.name, ())))}"


def _lacked(activity: CompiledActivity, progress: Progress) -> str:
    step = next(s for s in activity.spec.pattern.steps if s.name == progress.waits_for)
    return f"{quantity(step, len(progress.steps.get(step.name, ())))} was missing"


def _reached(progress: Progress) -> str:
    return ", ".join(f"`{name}` ({', '.join(ids)})" for name, ids in progress.steps.items())


def _completed(matches: Sequence[Match]) -> str:
    return "the trigger is complete" if len(matches) == 1 else f"the trigger is complete, {len(matches)} times"


def _called(event: Event) -> str:
    return f"{event.type} {event.id}"


def _of(part: str) -> str:
    """`part` is the key of a `per` value: a letter for its kind, then the value."""
    return f" (of {part[1:]})" if part else ""
