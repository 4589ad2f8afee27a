"""The view of somebody inside a journey."""

from __future__ import annotations

from kairos.engine.rule.compiled_journey import CompiledJourney
from kairos.engine.user.case import Case
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.moment import Instant, Moment, at_case


def case_of(journey: CompiledJourney, part: str, run: JourneyRun) -> Case:
    """The match that the run began with, as a case of the journey's own activity."""
    entry = journey.entry
    return Case(
        entry.name, entry.version, run.occurrence, part, run.entered, run.events(), sent_at=run.entered,
        control=run.control,
    )  # fmt: skip


def moment_of(instant: Instant, journey: CompiledJourney, part: str, run: JourneyRun) -> Moment:
    """Bare names are the props of the last event that the run has taken."""
    return at_case(instant, journey.entry, case_of(journey, part, run))
