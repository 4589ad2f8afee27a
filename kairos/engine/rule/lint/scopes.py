"""What each expression of a rule may name: the static side of the scopes that the engine will give it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kairos.engine.expression import Names, StepNames
from kairos.engine.expression.history import RFM
from kairos.engine.expression.scope import HistoryNames
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import listed

_LATER = "it is a later step; only earlier steps have happened"
_NOTHING = "it is an absent step, and takes no event"
_ITSELF = "it is this step itself; its props are bare names"


def step_names(pattern: Pattern, index: int, world: World) -> Names:
    """For `where` and `until` of step `index`: its own event, and the steps before it."""
    own = pattern.steps[index]
    steps = {step.name: _step(step, world) for step in pattern.steps[:index] if step.kind == "event"}
    forbidden = {step.name: _LATER for step in pattern.steps[index + 1 :]}
    if own.kind == "event" and own.times is not None:
        steps[own.name] = _step(own, world)
    else:
        forbidden[own.name] = _ITSELF
    return _names(world, own.types, steps, forbidden | _absent(pattern.steps[:index]))


def until_names(pattern: Pattern, index: int, world: World) -> Names:
    """`until` is asked of every event that the pattern sees."""
    names = step_names(pattern, index, world)
    types = [type_ for step in pattern.steps for type_ in step.types]
    return _names(world, types, dict(names.steps), dict(names.forbidden))


def match_names(pattern: Pattern, world: World) -> Names:
    """For what is asked once there is a match: bare names are the last matched event's props."""
    taking = [step for step in pattern.steps if step.kind == "event"]
    last: list[str] = []
    for step in reversed(taking):
        last += step.types
        if not step.optional:
            break
    return _names(world, last, {step.name: _step(step, world) for step in taking}, _absent(pattern.steps))


def goal_names(pattern: Pattern, types: Iterable[str], world: World) -> Names:
    steps = {step.name: _step(step, world) for step in pattern.steps if step.kind == "event"}
    return _names(world, types, steps, _absent(pattern.steps))


def metric_names(types: Iterable[str], world: World) -> Names:
    """A metric's `where` reads props only."""
    return Names(props=world.props(types), props_of=said(types), event=False, state=False)


def measure_names(types: Iterable[str], world: World) -> Names:
    """What a measure counts is narrowed by the event alone: what the user was at that time is not kept."""
    return Names(props=world.props(types), props_of=said(types), state=False)


def crowd_names(world: World) -> Names:
    """A crowd is asked about a person: there is no event."""
    return Names(
        bare=False, event=False, profile=world.profile, metrics=_metrics(world),
        crowds=world.crowd_names or frozenset(), catalogs=world.catalog_fields,
    )  # fmt: skip


def history_names(world: World) -> Names:
    """A kept crowd is asked about a person's whole past. `metric` may be named, to be told what to write instead."""
    history = HistoryNames(world.event_types, lambda type_: world.props([type_]))
    steps = {"rfm": StepNames(RFM)}
    return replace(crowd_names(world), steps=steps, history=history)


def _names(world: World, types: Iterable[str], steps: dict[str, StepNames], forbidden: dict[str, str]) -> Names:
    types = list(dict.fromkeys(types))
    return Names(
        props=world.props(types),
        props_of=said(types),
        steps=steps,
        profile=world.profile,
        metrics=_metrics(world),
        crowds=world.crowd_names or frozenset(),
        catalogs=world.catalog_fields,
        forbidden={name: why for name, why in forbidden.items() if name not in steps},
    )


def said(types: Iterable[str]) -> str:
    return listed(types)


def _step(step: Step, world: World) -> StepNames:
    return StepNames(world.props(step.types), step.times is not None)


def _absent(steps: Iterable[Step]) -> dict[str, str]:
    return {step.name: _NOTHING for step in steps if step.kind != "event"}


def _metrics(world: World) -> dict[str, str]:
    """What is named but cannot be read has no type."""
    known = {name: world.metric_type(metric) for name, metric in world.metrics.items()}
    return {**dict.fromkeys(world.metric_names or (), "any"), **known}
