"""What may have happened before each step of a journey: the messages and events that its conditions can ask about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kairos.engine.rule.journey import (
    Choose,
    Journey,
    JourneyStep,
    Leave,
    Message,
    Split,
    WaitFor,
    every_step,
    parts_of,
)

_LATER = "it comes later, or on another way"
_ITSELF = "it is this step itself"


@dataclass(frozen=True)
class Place:
    """One step. `messages`: ids of the journey's messages -> why they cannot be asked about here ("": they can).

    `events`: ids of the `wait_for` steps whose event may have come; `absent`: of the others -> why it has not.
    `reached`: whether anybody ever comes here. `level`: 1 for the steps of the journey itself.
    """

    step: JourneyStep
    messages: dict[str, str]
    events: frozenset[str]
    absent: dict[str, str]
    reached: bool
    level: int


@dataclass
class _Way:
    """The walk: what has been passed so far."""

    messages: frozenset[str]
    events: frozenset[str]
    passed: set[str] = field(default_factory=set)
    come: set[str] = field(default_factory=set)

    def place(self, step: JourneyStep, reached: bool, level: int) -> Place:
        said = {name: "" if name in self.passed else _ITSELF if name == step.key else _LATER for name in self.messages}
        absent = {name: _ITSELF if name == step.key else _LATER for name in self.events - self.come}
        return Place(step, said, frozenset(self.come), absent, reached, level)


def places_in(journey: Journey) -> Iterator[Place]:
    """Every step in the order of the file."""
    steps = list(every_step(journey.steps))
    messages = frozenset(step.key for step in steps if isinstance(step, Message))
    events = frozenset(step.event.name for step in steps if isinstance(step, WaitFor))
    yield from _walk(journey.steps, _Way(messages, events), True, 1)


def _walk(steps: tuple[JourneyStep, ...], way: _Way, reached: bool, level: int) -> Iterator[Place]:
    for step in steps:
        yield way.place(step, reached, level)
        before, after = (set(way.passed), set(way.come)), (set(way.passed), set(way.come))
        for number, part in enumerate(parts_of(step)):
            way.passed, way.come = set(before[0]), set(before[1])
            open_ = reached and not (isinstance(step, Choose) and _taken_before(step, number))
            yield from _walk(part, way, open_, level + 1)
            after[0].update(way.passed)
            after[1].update(way.come)
        way.passed, way.come = after
        if isinstance(step, Message):
            way.passed.add(step.key)
        elif isinstance(step, WaitFor):
            way.come.add(step.event.name)
        reached = reached and not ends_always(step)


def _taken_before(step: Choose, number: int) -> bool:
    return any(branch.when is None for branch in step.branches[:number])


def ends_always(step: JourneyStep) -> bool:
    """Whether nobody comes out behind this step."""
    if step.when is not None:
        return False
    match step:
        case Leave():
            return True
        case Choose(branches=branches):
            return branches[-1].when is None and all(map(_all_end, parts_of(step))) if branches else False
        case Split(arms=arms):
            return bool(arms) and all(map(_all_end, parts_of(step)))
    return False


def _all_end(steps: tuple[JourneyStep, ...]) -> bool:
    return any(ends_always(step) for step in steps)
