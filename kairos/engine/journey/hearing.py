"""What happens to those inside a journey: events, what became of its messages, deadlines, and edits of its file.

All of one instant is heard before anybody moves, so that an exit goes before what it overtakes.
"""

from __future__ import annotations

from collections.abc import Iterator

from kairos.engine.case.own_events import events_of_goal
from kairos.engine.case.record import record_of
from kairos.engine.effect import Result
from kairos.engine.event import OWN, Event
from kairos.engine.expression.functions import PROGRESS, SKIPPED
from kairos.engine.journey.place import case_of, moment_of
from kairos.engine.journey.telling import tell
from kairos.engine.journey.walking import UNHEARD, forget, leave, messages_of, stand, until_of, walk
from kairos.engine.pattern.runs import keep
from kairos.engine.rule.compiled import Predicate
from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.rule.handlers import Handlers
from kairos.engine.rule.journey import ENTERED, LONGEST, OVER, Message, Wait, WaitFor, journey_of
from kairos.engine.user.case import Case
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.moment import Instant, Moment, at_case, part_keys

_HEARD = {**{status: level for status, (_, level, _) in PROGRESS.items()}, "unknown": 1, OVER: SKIPPED}
Moves = dict[int, tuple[CompiledJourney, str, JourneyRun, str | None]]
"""Of this instant: id of a run -> the run, its `per` value, and the step that it goes on from (None: the end)."""


def adopt(instant: Instant, moves: Moves) -> list[Result]:
    """Whoever is inside meets the current definition: see "Editing while people are inside" in docs/journeys.md."""
    results: list[Result] = []
    for name, runs in list(instant.state.journeys.items()):
        for part, run in list(runs.items()):
            journey = instant.program.journey_of(name, run.version)
            if journey is None:
                forget(instant, name, part)
                instant.surroundings.counters["runs_restarted"] += 1
            elif journey.version != run.version:
                results += _adopt(instant, journey, part, run, moves)
    return results


def _adopt(instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun, moves: Moves) -> list[Result]:
    run.version = journey.version
    if not run.inside:
        return []
    stop = journey.stops.get(run.at)
    if stop is None or journey.entry.spec.on_change == "restart":
        tell(instant, journey, f"the journey was edited, and `{run.at}` is no more")
        return leave(instant, journey, part, run, "changed")
    if not isinstance(stop.step, Message):
        until = until_of(moment_of(instant, journey, part, run), stop, run.since)
        stand(instant, run, run.at, run.since, until)
    elif not any(case.activity == journey.spec.part(run.at) for case in messages_of(instant, journey, run)):
        moves[id(run)] = (journey, part, run, run.at)  # it was no message before
    return []


def _inside(instant: Instant, journey: CompiledJourney) -> Iterator[tuple[str, JourneyRun]]:
    """Everybody of this user under this definition, those who only wait for their goal too."""
    for part, run in list(instant.state.journeys.get(journey.name, {}).items()):
        if instant.program.journey_of(journey.name, run.version) is journey:
            yield part, run


def hear_event(moment: Moment, handlers: Handlers, event: Event, moves: Moves) -> list[Result]:
    """Goals first, then exits, then what is waited for. The entry's own event was heard before anybody was inside."""
    results: list[Result] = []
    for journey in handlers.journeys:
        for part, run in _inside(moment.instant, journey):
            if _concerns(journey, part, run, event):
                results += _hear(moment, journey, part, run, event, moves)
    return results


def hear_late(moment: Moment, handlers: Handlers, event: Event) -> list[Result]:
    """A late or merged event: it fulfils nothing that is waited for, but what it ends is ended."""
    results: list[Result] = []
    for journey in handlers.journeys:
        for part, run in _inside(moment.instant, journey):
            if run.inside and run.entered < event.time and _concerns(journey, part, run, event):
                results += _exit(moment, journey, part, run, event)
    return results


def _concerns(journey: CompiledJourney, part: str, run: JourneyRun, event: Event) -> bool:
    """Whether it is about this run: by `per`, and of the journey's own messages by their occurrence."""
    if event.type.startswith(OWN):
        of = event.props.get("activity")
        own = isinstance(of, str) and journey_of(of) == journey.name
        return not own or event.props.get("occurrence") == run.occurrence
    return part in part_keys(event, journey.spec.per)


def _hear(
    moment: Moment, journey: CompiledJourney, part: str, run: JourneyRun, event: Event, moves: Moves
) -> list[Result]:
    if (met := _goal(moment, journey, part, run, event)) or not run.inside:
        return met
    if (left := _exit(moment, journey, part, run, event)) or id(run) in moves:
        return left
    stop = journey.stops[run.at]
    step = stop.step
    waited = isinstance(step, WaitFor) and event.type in step.event.types and event.time < run.until
    if waited and _holds(moment, journey, part, run, stop.where):
        assert isinstance(step, WaitFor)
        tell(moment.instant, journey, f"{event.type} {event.id} is what `{run.at}` waits for")
        run.steps[step.event.name] = [keep(event, journey.keeps[step.event.name])]
        moves[id(run)] = (journey, part, run, stop.following)
    return []


def _holds(moment: Moment, journey: CompiledJourney, part: str, run: JourneyRun, where: Predicate | None) -> bool:
    """A condition on the moment's event; the steps of the run are known."""
    return where is None or where(moment.of_part(journey.entry, part, run.events()))


def _goal(moment: Moment, journey: CompiledJourney, part: str, run: JourneyRun, event: Event) -> list[Result]:
    """Counted from the entry, once, for everyone who entered or is in the control group; also after the end."""
    goal = journey.entry.goal
    if goal is None or run.goal_met or event.type not in goal.events or event.time >= run.entered + goal.within:
        return []
    if not _holds(moment, journey, part, run, goal.where):
        return []
    instant, case = moment.instant, case_of(journey, part, run)
    value = goal.value(moment.of_part(journey.entry, part, run.events())) if goal.value is not None else None
    record = record_of(at_case(instant, journey.entry, case), journey.entry, case, "goal")
    record.value = value
    run.goal_met = True
    results: list[Result] = [record, *events_of_goal(instant, case, record)]
    if run.inside:
        return results + leave(instant, journey, part, run, "goal")
    forget(instant, journey.name, part)
    return results


def _exit(moment: Moment, journey: CompiledJourney, part: str, run: JourneyRun, event: Event) -> list[Result]:
    """Leaves the journey, where the event ends it."""
    for where in journey.exits.get(event.type, ()):
        if _holds(moment, journey, part, run, where):
            tell(moment.instant, journey, f"{event.type} {event.id} is an exit")
            return leave(moment.instant, journey, part, run, "exit")
    return []


def hear_step(instant: Instant, event: Event, moves: Moves) -> None:
    """What became of a message, or that somebody has just entered: told by case/own_events.py."""
    activity, status = event.props["activity"], event.props["status"]
    name, _, key = activity.partition(".")
    for part, run in instant.state.journeys.get(name, {}).items():
        journey = instant.program.journey_of(name, run.version)
        if journey is None or run.occurrence != event.props["occurrence"]:
            continue
        if status == ENTERED:
            moves[id(run)] = (journey, part, run, journey.first)
            continue
        if status not in _HEARD:
            continue
        run.progress[key] = max(run.progress.get(key, SKIPPED), _HEARD[status])
        if run.at == key:
            moves[id(run)] = (journey, part, run, journey.stops[key].following)


def go_on(instant: Instant, moves: Moves) -> tuple[list[Result], list[Case]]:
    """Everybody who goes on: because of what was heard, or because their time has come. And messages to be decided."""
    results: list[Result] = []
    for name, runs in list(instant.state.journeys.items()):
        for part, run in list(runs.items()):
            if run.inside and 0 < run.until <= instant.now and id(run) not in moves:
                journey = instant.program.journey_of(name, run.version)
                if journey is not None:
                    results += _time_has_come(instant, journey, part, run, moves)
    messages = []
    for journey, part, run, key in moves.values():
        if run.inside:
            came, case = _from(instant, journey, part, run, key)
            results += came
            messages += [] if case is None else [case]
    return results, messages


def _time_has_come(
    instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun, moves: Moves
) -> list[Result]:
    stop, now = journey.stops[run.at], instant.now
    if now >= run.entered + LONGEST:
        return leave(instant, journey, part, run, "expired")
    if isinstance(stop.step, WaitFor):
        moves[id(run)] = (journey, part, run, stop.ways[0].first)
    elif isinstance(stop.step, Wait):
        moment = moment_of(instant, journey, part, run)
        run.until = until_of(moment, stop, run.since)  # a date of the profile may have moved
        if run.until <= now:
            moves[id(run)] = (journey, part, run, stop.following)
    elif any(case.is_waiting for case in messages_of(instant, journey, run)):
        run.until = now + UNHEARD
    else:
        run.progress.setdefault(run.at, SKIPPED)
        moves[id(run)] = (journey, part, run, stop.following)
    return []


def _from(
    instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun, key: str | None
) -> tuple[list[Result], Case | None]:
    """From this step on; unless a message was suppressed that ends the journey then."""
    step = journey.stops[run.at].step
    if isinstance(step, Message) and step.leave and run.progress.get(run.at) == SKIPPED:
        return leave(instant, journey, part, run, "exit"), None
    return walk(instant, journey, part, run, key)
