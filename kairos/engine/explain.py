"""The story of one user, taken down while the engine runs: what each activity took, what it did not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.explain_gates import reason_of_gate
from kairos.engine.explain_steps import identity, lost, most_advanced, needs, steps_at, taken_events
from kairos.engine.expression import compile_condition
from kairos.engine.expression.scope import Scope
from kairos.engine.gate.question import Verdict
from kairos.engine.moment import Moment
from kairos.engine.pattern import Match, Progress, Runs, Step
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.telling import condition_values, name_steps
from kairos.engine.user_state import Case

_TOLD_RUNS = 20

Kind = Literal["took", "missed", "ended", "waits", "gate", "record"]


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the story, at event time `at` (ms). `until` ends the sentence: another time. `missed`: nearly."""

    at: int
    kind: Kind
    text: str
    until: int | None = None


class Story:
    """An engine `Observer` for one user; the engine's `moment` says whose turn it is.

    After the run `tell` gives the lines of an activity in order of time.
    """

    def __init__(self, user_id: str, moment: Moment) -> None:
        self._user_id = user_id
        self._moment = moment
        self._lines: dict[str, list[Line]] = {}
        self._open: dict[tuple[str, str], list[Progress]] = {}
        self._matched: dict[tuple[str, str], list[frozenset[str]]] = {}
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
        self._expire(activity, part, event.time)
        was = [p for p in _progress(activity, before) if p.deadline is None or p.deadline > event.time]
        now = _progress(activity, after)
        known = {identity(p) for p in was}
        new = [p for p in now if identity(p) not in known]
        ended = [] if matches else list(lost(was, now, event.id))
        self._open[activity.name, part] = now
        called = f"{event.type} {event.id}"
        of = f" (of {part[1:]})" if part else ""  # `part` is a letter for the kind of the `per` value, then the value
        taken = _taken_by(event, new, matches)
        if taken:
            self._say(activity, event.time, "took", f"{called} is taken as {name_steps(taken)}{of}")
        for progress in most_advanced(ended):
            self._say(activity, event.time, "ended", f"{called} ends the match of {_reached(progress)}{of}")
        if not taken and not ended:
            for text in self._misses(activity, event, was, before, scope):
                self._say(activity, event.time, "missed", f"{called} {text}{of}")
        for match in matches:
            ids = [event.id for events in match.steps.values() for event in events]
            self._matched.setdefault((activity.name, part), []).append(frozenset(ids))
            self._say(activity, event.time, "took", f"the trigger is complete: {', '.join(ids)}")
        for progress in list(most_advanced(new))[:1]:
            self._wait(activity, event.time, progress)

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
        text = reason_of_gate(gate, activity, verdict, self._moment)
        self._say(activity, now, "gate", text, verdict.until if verdict.outcome == "hold" else None)

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

    def _say(self, activity: CompiledActivity, at: int, kind: Kind, text: str, until: int | None = None) -> None:
        self._lines.setdefault(activity.name, []).append(Line(at, kind, text, until))

    def _wait(self, activity: CompiledActivity, at: int, progress: Progress) -> None:
        need = needs(activity.spec.pattern, progress)
        text = f"waits {need}" if need.startswith("that ") else f"waits for {need}"
        self._say(activity, at, "waits", text, progress.deadline)

    def _misses(
        self, activity: CompiledActivity, event: Event, was: Sequence[Progress], before: Runs | None, scope: Scope
    ) -> Iterator[str]:
        """For each step that the event could have been, by its type: what speaks against it."""
        by_id = {} if before is None else {e.id: e for e in (kept.event for kept in before.events.values())}
        told = set()
        for progress in (*most_advanced(was), None):
            steps = progress.steps if progress is not None else {}
            scope.steps = {name: [by_id[i] for i in ids if i in by_id] for name, ids in steps.items()}
            for step in steps_at(activity.spec.pattern, progress):
                if event.type in step.types and step.name not in told and (why := self._refusal(step, scope)):
                    told.add(step.name)
                    yield f"does not count for `{step.name}`: {why}"
        scope.steps = {}

    def _refusal(self, step: Step, scope: Scope) -> str:
        if step.where is not None and not compile_condition(step.where, self._moment.plan.script)(scope):
            return condition_values(step.where, scope)
        return "another event came in between" if step.next == "strict" else ""

    def _expire(self, activity: CompiledActivity, part: str, now: int) -> None:
        """Partial matches whose time was over by `now`, and that came to nothing."""
        known = self._open.get((activity.name, part), [])
        over = [p for p in known if p.deadline is not None and p.deadline <= now]
        if not over:
            return
        self._open[activity.name, part] = [p for p in known if p not in over]
        matched = self._matched.get((activity.name, part), ())
        for progress in most_advanced(over):
            if not any(taken_events(progress) <= events for events in matched):
                text = (
                    f"time is over for {_reached(progress)}: still waited for {needs(activity.spec.pattern, progress)}"
                )
                self._say(activity, progress.deadline or now, "missed", text)

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
    steps = steps_at(plan.activities[activity].spec.pattern, None)
    return tuple(dict.fromkeys(event_type for step in steps if step.kind == "event" for event_type in step.types))


def _progress(activity: CompiledActivity, runs: Runs | None) -> list[Progress]:
    """The partial matches that began first; what the later ones of very many have taken is part of what these have."""
    if runs is not None and len(runs.runs) > _TOLD_RUNS:
        runs = msgspec.structs.replace(runs, runs=runs.runs[:_TOLD_RUNS])
    return activity.matcher.progress(runs)


def _taken_by(event: Event, new: Sequence[Progress], matches: Sequence[Match]) -> list[str]:
    """The steps that took the event, without repetition."""
    taken = [name for progress in new for name, ids in progress.steps.items() if ids[-1:] == (event.id,)]
    taken += [name for match in matches for name, events in match.steps.items() if events[-1].id == event.id]
    return list(dict.fromkeys(taken))


def _reached(progress: Progress) -> str:
    return ", ".join(f"`{name}` ({', '.join(ids)})" for name, ids in progress.steps.items())
