"""A journey ready to run: every step knows the one that follows it, and its conditions are closures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kairos.engine.decision import share_of
from kairos.engine.expression.condition import Condition
from kairos.engine.pattern.compile import props_to_keep
from kairos.engine.rule.compiled import CompiledActivity, Predicate
from kairos.engine.rule.journey import (
    LEFT,
    Choose,
    Journey,
    JourneyStep,
    Message,
    Split,
    WaitFor,
    every_step,
    parts_of,
)
from kairos.engine.rule.release import journey_version

Compile = Callable[[Condition], Predicate]


@dataclass(frozen=True, slots=True)
class Way:
    """One branch of a `choose` or arm of a `split`: the key of its first step, or of what follows; None: the end."""

    first: str | None
    when: Predicate | None = None
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A step. `following`: the key of the one behind it, where the ways have joined again; None: the end.

    `ways`: those of a `choose` or a `split`; of a `wait_for`, the one that is taken without its event. `where`: what
    its event must fulfil.
    """

    step: JourneyStep
    following: str | None
    when: Predicate | None = None
    ways: tuple[Way, ...] = ()
    where: Predicate | None = None


@dataclass(frozen=True, slots=True)
class CompiledJourney:
    """`first`: the key of the step that the entry leads to. `exits`: event type -> conditions, None: any such event.

    `waited`: the types that some `wait_for` waits for; `keeps`: its name -> the props to keep of its event. `entry`,
    `left`, `messages` (by key): the activities that it is recorded as.
    """

    spec: Journey
    version: bytes
    first: str | None
    stops: dict[str, Stop]
    exits: dict[str, list[Predicate | None]]
    waited: frozenset[str]
    keeps: dict[str, tuple[str, ...]]
    entry: CompiledActivity
    left: CompiledActivity
    messages: dict[str, CompiledActivity]

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def types(self) -> frozenset[str]:
        """All event types that mean something to somebody inside, or to a goal."""
        goal = self.entry.goal.events if self.entry.goal is not None else ()
        return self.waited.union(self.exits, goal)


@dataclass
class _Compiler:
    compile: Compile
    stops: dict[str, Stop] = field(default_factory=dict)

    def way(self, steps: tuple[JourneyStep, ...], behind: str | None) -> str | None:
        """Adds the steps; the key that leads into them, or `behind` where there are none."""
        for step in reversed(steps):
            self.stops[step.key] = self._stop(step, behind)
            behind = step.key
        return behind

    def _stop(self, step: JourneyStep, behind: str | None) -> Stop:
        when, where = self._condition(step.when), None
        firsts = [self.way(part, behind) for part in parts_of(step)]
        match step:
            case Choose(branches=branches):
                ways = tuple(Way(f, when=self._condition(b.when)) for f, b in zip(firsts, branches, strict=True))
            case Split(arms=arms):
                ways = tuple(Way(f, weight=arm.weight) for f, arm in zip(firsts, arms, strict=True))
            case WaitFor(event=event):
                ways, where = tuple(map(Way, firsts)), self._condition(event.where)
            case _:
                ways = ()
        return Stop(step, behind, when, ways, where)

    def _condition(self, condition: Condition | None) -> Predicate | None:
        return None if condition is None else self.compile(condition)


def compile_journey(
    journey: Journey,
    activities: Mapping[str, CompiledActivity],
    reads: Mapping[str, frozenset[str]],
    compile_condition: Compile,
) -> CompiledJourney:
    """`activities`: those that it is recorded as, by name; `reads`: what must be kept of its events (`kept_props`)."""
    compiler = _Compiler(compile_condition)
    first = compiler.way(journey.steps, None)
    exits: dict[str, list[Predicate | None]] = {}
    for event in journey.exits:
        where = None if event.where is None else compile_condition(event.where)
        for event_type in event.types:
            exits.setdefault(event_type, []).append(where)
    waits = [step.event for step in every_step(journey.steps) if isinstance(step, WaitFor)]
    bare = reads.get("", frozenset())
    return CompiledJourney(
        spec=journey,
        version=journey_version(journey, {name: activity.spec for name, activity in activities.items()}),
        first=first,
        stops=compiler.stops,
        exits=exits,
        waited=frozenset(event_type for event in waits for event_type in event.types),
        keeps={event.name: props_to_keep(bare | reads.get(event.name, frozenset())) for event in waits},
        entry=activities[journey.name],
        left=activities[journey.part(LEFT)],
        messages={key: activities[journey.part(key)] for key in messages_of(journey)},
    )


def stops_of(steps: tuple[JourneyStep, ...]) -> tuple[str | None, dict[str, Stop]]:
    """The key that leads into these steps, and every step by its key, where nobody will ask their conditions."""
    compiler = _Compiler(lambda _condition: lambda _scope: True)
    return compiler.way(steps, None), compiler.stops


def dealt(journey: str, stop: Stop, user_id: str) -> int:
    """Which arm of a split is this user's: sticky, by a hash of user and `<journey>/<id>`."""
    point = share_of(user_id, f"{journey}/{stop.step.key}") * sum(way.weight for way in stop.ways)
    for number, way in enumerate(stop.ways):
        point -= way.weight
        if point < 0:
            return number
    return len(stop.ways) - 1


def messages_of(journey: Journey) -> Iterator[str]:
    """The keys of its messages."""
    yield from (step.key for step in every_step(journey.steps) if isinstance(step, Message))
