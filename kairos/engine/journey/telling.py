"""The way of somebody through a journey, told for people while it happens: `kairos explain`."""

from __future__ import annotations

from kairos.engine.rule.compiled_journey import CompiledJourney, Stop
from kairos.engine.rule.journey import Choose, JourneyStep, Leave, Message, Split, Wait, WaitFor
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.moment import Instant


def tell(instant: Instant, journey: CompiledJourney, text: str, until: int | None = None) -> None:
    """`until`: when they go on by themselves, epoch ms."""
    if instant.surroundings.observer is not None:
        instant.surroundings.observer.journey(journey.entry, instant, text, until)


def tell_place(instant: Instant, journey: CompiledJourney, run: JourneyRun, stop: Stop) -> None:
    """Where somebody has come to, and what comes next."""
    if instant.surroundings.observer is None:
        return
    following = "then the end" if stop.following is None else f"then {called(journey.stops[stop.following].step)}"
    step = stop.step
    if isinstance(step, Message):
        tell(instant, journey, f"comes to the message `{step.key}`, {following}")
    elif isinstance(step, WaitFor):
        tell(instant, journey, f"waits for {' or '.join(step.event.types)}, {following};", run.until)
    else:
        tell(instant, journey, f"waits, {following};", run.until)


def called(step: JourneyStep) -> str:
    """By its id, else by what it is."""
    kinds = {Wait: "a wait", WaitFor: "a wait", Choose: "a choice", Split: "a split", Leave: "an exit"}
    return kinds.get(type(step), "a message") if "+" in step.key else f"`{step.key}`"
