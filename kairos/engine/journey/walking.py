"""From one step to the next place where somebody waits, or to the end."""

from __future__ import annotations

from kairos.engine.case.life import happen
from kairos.engine.case.record import record_of
from kairos.engine.case.table import Input
from kairos.engine.decision import Cause
from kairos.engine.effect import Result
from kairos.engine.expression.functions import SKIPPED
from kairos.engine.journey.place import case_of, moment_of
from kairos.engine.journey.telling import tell, tell_place
from kairos.engine.journey.waits import end_of
from kairos.engine.rule.compiled_journey import CompiledJourney, Stop, dealt
from kairos.engine.rule.journey import LONGEST, Choose, Leave, Message, Split, Wait, WaitFor, journey_of
from kairos.engine.user.case import Case
from kairos.engine.user.cases import naming
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.moment import Instant, Moment, at_case

UNHEARD = 3 * 86_400_000
"""ms after which a journey goes on behind a message of which nothing has been heard, and that no hold explains."""
_CUT_SHORT: dict[str, Cause] = {"goal": "goal", "exit": "exit", "changed": "exit", "expired": "exit"}
"""Ends that come in the middle of something: what has not gone yet shall not go."""


def walk(
    instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun, key: str | None
) -> tuple[list[Result], Case | None]:
    """From the step `key` on until it waits or ends. A message that it comes to is the case that is returned."""
    moment, now = moment_of(instant, journey, part, run), instant.now
    while key is not None:
        stop = journey.stops[key]
        step = stop.step
        if stop.when is not None and not stop.when(moment):
            if isinstance(step, Message):
                run.progress[key] = SKIPPED
            tell(instant, journey, f"goes past `{key}`: its `when` is false")
            key = stop.following
        elif isinstance(step, Choose | Split):
            key = _way(moment, journey, stop)
        elif isinstance(step, Leave):
            return leave(instant, journey, part, run, step.reason), None
        else:
            until = until_of(moment, stop, now)
            if until > now:
                stand(instant, run, key, now, until)
                tell_place(instant, journey, run, stop)
                return [], _message(journey, part, run, key, now) if isinstance(step, Message) else None
            key = stop.following
    return leave(instant, journey, part, run, "done"), None


def until_of(moment: Moment, stop: Stop, since: int) -> int:
    """When somebody who came to this step at `since` goes on by themselves. `moment`: of them."""
    match stop.step:
        case Wait() as wait:
            return end_of(wait, since, moment.zone, moment.profile)
        case WaitFor(within=within):
            return since + within
    return since + UNHEARD


def _way(moment: Moment, journey: CompiledJourney, stop: Stop) -> str | None:
    """The first step of the branch or arm that is taken, or what follows."""
    number = (
        _chosen(moment, stop) if isinstance(stop.step, Choose) else dealt(journey.name, stop, moment.instant.user_id)
    )
    if number is None:
        tell(moment.instant, journey, f"no branch of `{stop.step.key}` holds")
        return stop.following
    named = f"arm {stop.step.arms[number].name}" if isinstance(stop.step, Split) else f"branch {number + 1}"
    tell(moment.instant, journey, f"takes {named} of `{stop.step.key}`")
    return stop.ways[number].first


def _chosen(moment: Moment, stop: Stop) -> int | None:
    holding = (number for number, way in enumerate(stop.ways) if way.when is None or way.when(moment))
    return next(holding, None)


def stand(instant: Instant, run: JourneyRun, key: str, since: int, until: int) -> None:
    """Waits at this step since `since`; a timer brings the user back when the wait is over."""
    run.at, run.since, run.until = key, since, min(until, run.entered + LONGEST)
    instant.state.wake_by(run.until)


def _message(journey: CompiledJourney, part: str, run: JourneyRun, key: str, now: int) -> Case:
    activity = journey.messages[key]
    return Case(activity.name, activity.version, run.occurrence, part, now, run.events())


def leave(instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun, reason: str) -> list[Result]:
    """Ends the run. Only a goal that is still waited for is kept of it."""
    now = instant.now
    results: list[Result] = []
    run.at, run.since, run.until = "", now, 0
    if (cause := _CUT_SHORT.get(reason)) is not None:
        for case in messages_of(instant, journey, run):
            activity = instant.program.compiled(case.activity, case.version)
            if activity is not None:
                results += happen(Input.LEFT, instant, activity, case, cause)
    case = case_of(journey, part, run)
    record = record_of(at_case(instant, journey.left, case), journey.left, case, "match")
    record.data = {**record.data, "reason": reason}
    if isinstance(journey.spec.reenter, int):
        instant.state.once[journey.name] = now
    goal = journey.entry.goal
    if goal is None or run.goal_met or run.entered + goal.within <= now:
        forget(instant, journey.name, part)
    return [*results, record]


def messages_of(instant: Instant, journey: CompiledJourney, run: JourneyRun) -> list[Case]:
    """The cases of this run's messages that are still kept."""
    return [
        case
        for case in naming(instant.state, None, run.occurrence)
        if case.occurrence == run.occurrence and "." in case.activity and journey_of(case.activity) == journey.name
    ]


def forget(instant: Instant, name: str, part: str) -> None:
    runs = instant.state.journeys.get(name, {})
    runs.pop(part, None)
    if not runs:
        instant.state.journeys.pop(name, None)
