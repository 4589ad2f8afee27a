"""The story of one user, taken down while the engine runs: what each activity took, what it did not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from kairos.engine.decision import Choice, Record
from kairos.engine.event import Event
from kairos.engine.expression import compile_condition
from kairos.engine.gate.question import Verdict
from kairos.engine.pattern import Match, Progress, Runs, Step
from kairos.engine.play.explain_gates import reason_of_gate
from kairos.engine.play.explain_steps import identity, lost, most_advanced, needs, steps_at, taken_events
from kairos.engine.play.telling import condition_values, name_steps, tell_choice
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.rule.journey import is_part, journey_of
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant, Moment

_TOLD_RUNS = 20
_CAUSES: dict[str, str] = {
    "absence": "what should not happen has happened",
    "goal": "the goal is met",
    "receipt": "the message before it arrived",
    "restart": "a new version of the activity begins anew",
    "too_large": "too much is kept of this user",
    "exit": "the journey is over",
}

Kind = Literal["took", "missed", "ended", "waits", "gate", "record"]


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the story, at event time `at` (ms). `until` ends the sentence: another time. `missed`: nearly."""

    at: int
    kind: Kind
    text: str
    until: int | None = None


class Story:
    """An engine `Observer` for one user.

    After the run `tell` gives the lines of an activity in order of time.
    """

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._lines: dict[str, list[Line]] = {}
        self._open: dict[tuple[str, str], list[Progress]] = {}
        self._matched: dict[tuple[str, str], list[frozenset[str]]] = {}
        self._activities: dict[str, CompiledActivity] = {}
        self._passed: dict[tuple[str, str, int], list[str]] = {}

    # -------------------------------------------------------------------------------------- as the engine's observer
    def event(
        self, activity: CompiledActivity, moment: Moment, before: Runs | None, after: Runs | None, matches: list[Match]
    ) -> None:
        event, part = moment.event, moment.part
        if moment.instant.user_id != self._user_id or event is None:
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
            for text in self._misses(activity, event, was, before, moment):
                self._say(activity, event.time, "missed", f"{called} {text}{of}")
        for match in matches:
            ids = [event.id for events in match.steps.values() for event in events]
            self._matched.setdefault((activity.name, part), []).append(frozenset(ids))
            self._say(activity, event.time, "took", f"the trigger is complete: {', '.join(ids)}")
        for progress in list(most_advanced(new))[:1]:
            self._wait(activity, event.time, progress)
        if gone := (after.dropped if after else 0) - (before.dropped if before else 0):
            text = f"{gone} of the open matches that this makes are not kept: one user may have no more{of}"
            self._say(activity, event.time, "ended", text)

    def gate(self, activity: CompiledActivity, moment: Moment, case: Case, gate: str, verdict: Verdict | None) -> None:
        now = moment.now
        if moment.instant.user_id != self._user_id:
            return
        self._activities[activity.name] = activity
        self._close(activity, case, now)
        key = (activity.name, case.occurrence, now)
        if verdict is None:
            named, gates = gate.replace("_", " "), self._passed.setdefault(key, [])
            gates += [named] if named not in gates else []
            return
        if passed := self._passed.pop(key, []):
            self._say(activity, now, "gate", f"passes {', '.join(passed)}")
        text = reason_of_gate(gate, activity, verdict, moment)
        self._say(activity, now, "gate", text, verdict.until if verdict.outcome == "hold" else None)

    def dropped(
        self, activity: CompiledActivity, instant: Instant, part: str, before: Runs, after: Runs | None
    ) -> None:
        if instant.user_id != self._user_id:
            return
        self._open[activity.name, part] = _progress(activity, after)
        gone = len(before.runs) - (0 if after is None else len(after.runs))
        self._say(activity, instant.now, "ended", f"{gone} open matches are given up: they take too much room")

    def journey(self, entry: CompiledActivity, instant: Instant, text: str, until: int | None) -> None:
        if instant.user_id == self._user_id:
            self._activities[entry.name] = entry
            self._say(entry, instant.now, "waits" if until is not None else "took", text, until)

    def compared(self, activity: CompiledActivity, instant: Instant, case: Case, choice: Choice, ghost: bool) -> None:
        if instant.user_id == self._user_id:
            if self._passed.pop((activity.name, case.occurrence, instant.now), []):
                self._say(activity, instant.now, "gate", "passes every gate")
            self._say(activity, instant.now, "gate", tell_choice(activity.name, choice, ghost))

    def fallback(self, activity: CompiledActivity, instant: Instant, case: Case, send: CompiledSend) -> None:
        if instant.user_id == self._user_id:
            text = f"the {case.channel} message was {case.receipt}: the fallback by {send.channel} is not needed"
            self._say(activity, instant.now, "gate", text)

    # -------------------------------------------------------------------------------------------------- afterwards
    def tell(self, activity: str, records: Sequence[Record], end: int) -> list[Line]:
        """The activity's lines and, of the records, those of this user, in order of time; `end`: when the run ended.

        Of a journey also those of its messages.
        """
        known = self._activities.get(activity)
        if known is not None:
            for name, part in list(self._open):
                if name == activity:
                    self._expire(known, part, end)
        passed = [(name, at) for name, _, at in self._passed if journey_of(name) == activity]
        through = [Line(at, "gate", _of_part(name, "passes every gate")) for name, at in passed]
        mine = [r for r in records if r.user_id == self._user_id and journey_of(r.activity) == activity]
        said = [Line(r.at, "record", _of_part(r.activity, tell_record(r))) for r in mine]
        lines = self._lines.get(activity, []) + through + said
        return sorted(lines, key=lambda line: line.at)

    def _say(self, activity: CompiledActivity, at: int, kind: Kind, text: str, until: int | None = None) -> None:
        line = Line(at, kind, _of_part(activity.name, text), until)
        self._lines.setdefault(journey_of(activity.name), []).append(line)

    def _wait(self, activity: CompiledActivity, at: int, progress: Progress) -> None:
        need = needs(activity.spec.pattern, progress)
        text = f"waits {need}" if need.startswith("that ") else f"waits for {need}"
        self._say(activity, at, "waits", text, progress.deadline)

    def _misses(
        self, activity: CompiledActivity, event: Event, was: Sequence[Progress], before: Runs | None, moment: Moment
    ) -> Iterator[str]:
        """For each step that the event could have been, by its type: what speaks against it."""
        by_id = {} if before is None else {e.id: e for e in (kept.event for kept in before.events.values())}
        told = set()
        for progress in (*most_advanced(was), None):
            steps = progress.steps if progress is not None else {}
            taken = {name: [by_id[i] for i in ids if i in by_id] for name, ids in steps.items()}
            for step in steps_at(activity.spec.pattern, progress):
                if event.type not in step.types or step.name in told:
                    continue
                if why := _refusal(step, moment.with_steps(taken)):
                    told.add(step.name)
                    yield f"does not count for `{step.name}`: {why}"

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


def _refusal(step: Step, moment: Moment) -> str:
    """Why the event of this moment is not the step's; empty: nothing is known."""
    if step.where is not None and not compile_condition(step.where, moment.instant.program.script)(moment):
        return condition_values(step.where, moment)
    return "another event came in between" if step.next == "strict" else ""


def _of_part(activity: str, text: str) -> str:
    """A message or the end of a journey is told by its step."""
    return f"{activity.partition('.')[2]}: {text}" if is_part(activity) else text


def tell_record(record: Record) -> str:
    via = f" by {record.channel}" if record.channel else ""
    why = f": {record.reason}" if record.reason else ""
    if is_part(record.activity) and "reason" in record.data and record.outcome == "match":
        why = f": {record.data['reason']}"
    why += f", {_CAUSES[record.cause]}" if record.cause else ""
    attempt = f" (attempt {record.attempt})" if record.attempt else ""
    return f"-> {record.outcome}{via}{why}{attempt}"


def starters(program: Program, activity: str) -> tuple[str, ...]:
    """The event types that can begin a match of this activity."""
    steps = steps_at(program.activities[activity].spec.pattern, None)
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
