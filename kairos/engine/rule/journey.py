"""What a journey says, as pure data: the steps between the entry and the end. Its messages are activities of their own.

Of a journey `welcome` the rules hold three kinds of activity: `welcome` (entry, control and goal), `welcome.<step>` for
each message, and `welcome.left` (the end). What lies between them is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from kairos.engine.expression.condition import Condition
from kairos.engine.pattern.spec import Step

LEFT = "left"
"""The part of a journey that its end is recorded as."""
ENTERED, OVER = "entered", "over"
"""What the journey hears beside receipts: somebody has come in; nothing more is tried for a message."""
REASONS = ("done", "goal", "exit", "changed", "expired")
"""Why a journey ends, beside the names that its `exit` steps give."""
LONGEST = 365 * 86_400_000
"""A journey is over after so long (ms), whatever it waits for."""


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: the step's id, or its place between named ones. `when` false: the journey goes past it."""

    key: str
    when: Condition | None = None


class Wait(_Step, frozen=True, kw_only=True, tag="wait"):
    """Until `span` ms have passed; or for `days` calendar days, then to `at` (minutes since midnight), on one of these
    weekdays (0: Monday); or until the time in a field of the profile, `shift` ms later (below 0: before it).
    """

    span: int = 0
    days: int = 0
    at: int | None = None
    on: tuple[int, ...] = ()
    until: str | None = None
    shift: int = 0


class WaitFor(_Step, frozen=True, kw_only=True, tag="wait_for"):
    """Until this event comes; `within` ms without it, and `otherwise` is taken before the ways join again."""

    event: Step
    within: int
    otherwise: tuple[JourneyStep, ...] = ()


class Message(_Step, frozen=True, kw_only=True, tag="send"):
    """The activity `<journey>.<key>` decides. `leave`: a message that is suppressed ends the journey."""

    leave: bool = False


class Branch(msgspec.Struct, frozen=True):
    when: Condition | None
    steps: tuple[JourneyStep, ...]


class Choose(_Step, frozen=True, kw_only=True, tag="choose"):
    """The first branch whose condition holds; none: on."""

    branches: tuple[Branch, ...]


class Arm(msgspec.Struct, frozen=True):
    name: str
    weight: float
    steps: tuple[JourneyStep, ...]


class Split(_Step, frozen=True, kw_only=True, tag="split"):
    """Dealt by a stable hash of (user, `<journey>/<key>`)."""

    arms: tuple[Arm, ...]


class Leave(_Step, frozen=True, kw_only=True, tag="exit"):
    reason: str


JourneyStep = Wait | WaitFor | Message | Choose | Split | Leave


class Journey(msgspec.Struct, frozen=True):
    """`reenter`: "never", "each" (a run for each value of `per`, side by side) or ms after the end.

    `exits`: events that end it at once.
    """

    name: str
    steps: tuple[JourneyStep, ...]
    exits: tuple[Step, ...] = ()
    reenter: Literal["never", "each"] | int = "never"
    per: str | None = None

    def part(self, key: str) -> str:
        """The name of the activity that a message, or the end, is recorded as."""
        return f"{self.name}.{key}"


def parts_of(step: JourneyStep) -> tuple[tuple[JourneyStep, ...], ...]:
    """The ways that lead through a step before all join behind it."""
    match step:
        case WaitFor(otherwise=otherwise):
            return (otherwise,)
        case Choose(branches=branches):
            return tuple(branch.steps for branch in branches)
        case Split(arms=arms):
            return tuple(arm.steps for arm in arms)
    return ()


def every_step(steps: tuple[JourneyStep, ...]) -> Iterator[JourneyStep]:
    """All steps, in the order of the file."""
    for step in steps:
        yield step
        for part in parts_of(step):
            yield from every_step(part)


def events_of(journey: Journey) -> Iterator[Step]:
    """What it exits on, and what it waits for."""
    yield from journey.exits
    yield from (step.event for step in every_step(journey.steps) if isinstance(step, WaitFor))


def conditions_of(journey: Journey) -> Iterator[Condition]:
    """Every condition of its events and steps."""
    yield from (event.where for event in events_of(journey) if event.where is not None)
    for step in every_step(journey.steps):
        if step.when is not None:
            yield step.when
        if isinstance(step, Choose):
            yield from (branch.when for branch in step.branches if branch.when is not None)


def expressions_of(journey: Journey) -> Iterator[str]:
    """The text of every condition that is no JavaScript."""
    yield from (condition for condition in conditions_of(journey) if isinstance(condition, str))


def longest_way(steps: tuple[JourneyStep, ...]) -> int:
    """The longest time (ms) that waits of these steps can take, as far as they say it."""
    return sum(_own_span(step) + max(map(longest_way, parts_of(step)), default=0) for step in steps)


def _own_span(step: JourneyStep) -> int:
    if isinstance(step, WaitFor):
        return step.within
    return step.span + step.days * 86_400_000 if isinstance(step, Wait) else 0


def dates_of(journey: Journey) -> frozenset[str]:
    """The fields of the profile that it waits for."""
    waits = (step for step in every_step(journey.steps) if isinstance(step, Wait))
    return frozenset(wait.until for wait in waits if wait.until is not None)


def is_part(activity: str) -> bool:
    """Whether it is a message or the end of a journey: only their names have a dot."""
    return "." in activity


def slot_of(activity: str, occurrence: str) -> str:
    """What a send is told by in caps and budgets: the messages of one run share its occurrence."""
    return f"{activity}/{occurrence}" if is_part(activity) else occurrence


def journey_of(activity: str) -> str:
    """The journey that an activity is a part of; of others their own name."""
    return activity.partition(".")[0]
