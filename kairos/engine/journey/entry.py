"""Coming into a journey: who may, and what is kept of those who do."""

from __future__ import annotations

from kairos.engine.case.own_events import step_event
from kairos.engine.decision import Record
from kairos.engine.effect import Result
from kairos.engine.journey.telling import tell
from kairos.engine.pattern.runs import ALL_PROPS, keep
from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.rule.journey import ENTERED
from kairos.engine.size import size_of
from kairos.engine.user.case import Case
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.moment import Instant


def may_enter(instant: Instant, journey: CompiledJourney, case: Case) -> bool:
    """Whether the trigger means anything: not while inside, nor earlier than `reenter` allows. Else it is counted."""
    spec, runs = journey.spec, instant.state.journeys.get(journey.name, {})
    if spec.reenter == "each":
        inside = case.part in runs and runs[case.part].inside
        too_early = False
        full = case.part not in runs and len(runs) >= instant.program.max_runs
        if full:
            instant.surroundings.drop(journey.name, 1)
    else:
        last = instant.state.once.get(journey.name)
        inside, full = any(run.inside for run in runs.values()), False
        too_early = last is not None and (spec.reenter == "never" or last > instant.now - spec.reenter)
    if inside or too_early:
        instant.surroundings.counters["journey_triggers_ignored"] += 1
        why = "the user is inside already" if inside else "it is too early to come in again (`reenter`)"
        tell(instant, journey, f"ignored: {why}")
    return not (inside or too_early or full)


def enter(instant: Instant, journey: CompiledJourney, case: Case, decided: list[Result]) -> list[Result]:
    """Where the entry was decided somebody new is inside, or in the control group, of whom only a goal is waited for.

    `decided`: what the gates have made of the entry.
    """
    inside = any(isinstance(result, Record) and result.outcome in ("match", "control") for result in decided)
    if not inside or (case.control and journey.entry.goal is None):
        return decided
    first = "" if case.control else journey.first or ""
    steps = {name: [keep(event, ALL_PROPS) for event in events] for name, events in case.steps.items()}
    run = JourneyRun(journey.version, case.occurrence, instant.now, first, instant.now, 0, {}, steps, case.control)
    instant.state.journeys.setdefault(journey.name, {})[case.part] = run
    instant.state.gained += size_of(steps) + len(case.part)
    return decided if case.control else [*decided, step_event(instant, case.activity, case.occurrence, ENTERED)]
