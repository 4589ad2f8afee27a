"""What an expression looks at: the engine keeps no more of a user's past than somebody reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal as OneOf

from kairos.engine.expression.functions import FUNCTIONS
from kairos.engine.expression.tree import (
    Aggregate,
    Call,
    Field,
    Item,
    Literal,
    Node,
    Progress,
    Prop,
    StepCount,
    StepProp,
    walk,
)

Part = OneOf["first", "last", "all"]


@dataclass(frozen=True)
class Reads:
    """`steps`: step -> props of its taken events; a step of which only the count is read has an empty set.

    `parts`: step -> which of them, "first", "last" or "all". `local_time`: the user's time zone matters.
    `messages`: those of the journey, of which it is asked what became.
    """

    props: frozenset[str] = frozenset()
    steps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    event_fields: frozenset[str] = frozenset()
    profile: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    priors: frozenset[str] = frozenset()
    crowds: frozenset[str] = frozenset()
    local_time: bool = False
    parts: Mapping[str, frozenset[Part]] = field(default_factory=dict)
    messages: frozenset[str] = frozenset()
    catalogs: frozenset[str] = frozenset()

    @property
    def before_event(self) -> bool:
        """Whether the event gives the answer, and metrics as they stand before it."""
        elsewhere = (self.steps, self.profile, self.metrics, self.crowds, self.messages, self.catalogs)
        return not self.local_time and not any(elsewhere)

    @staticmethod
    def of(tree: Node) -> Reads:
        return Reads.union(_reads_of(node) for node in walk(tree))

    @staticmethod
    def union(all_reads: Iterable[Reads]) -> Reads:
        every = list(all_reads)
        steps: dict[str, frozenset[str]] = {}
        parts: dict[str, frozenset[Part]] = {}
        for reads in every:
            for step, props in reads.steps.items():
                steps[step] = steps.get(step, frozenset()) | props
            for step, which in reads.parts.items():
                parts[step] = parts.get(step, frozenset()) | which
        return Reads(
            props=frozenset().union(*(reads.props for reads in every)),
            steps=steps,
            event_fields=frozenset().union(*(reads.event_fields for reads in every)),
            profile=frozenset().union(*(reads.profile for reads in every)),
            metrics=frozenset().union(*(reads.metrics for reads in every)),
            priors=frozenset().union(*(reads.priors for reads in every)),
            crowds=frozenset().union(*(reads.crowds for reads in every)),
            local_time=any(reads.local_time for reads in every),
            parts=parts,
            messages=frozenset().union(*(reads.messages for reads in every)),
            catalogs=frozenset().union(*(reads.catalogs for reads in every)),
        )


def _reads_of(node: Node) -> Reads:
    """Of this node alone."""
    match node:
        case Prop(name=name):
            return Reads(props=frozenset({name}))
        case StepProp(step=step, prop=prop, which=which):  # or what lies inside a prop, if there is no such step
            inside = frozenset({step}) if which == "last" else frozenset()
            return Reads(inside, steps={step: frozenset({prop})}, parts={step: frozenset({which})})
        case Aggregate(step=step, prop=prop):
            return Reads(steps={step: frozenset({prop})}, parts={step: frozenset({"all"})})
        case StepCount(step=step):
            return Reads(steps={step: frozenset()}, parts={step: frozenset({"all"})})
        case Progress(message=message):
            return Reads(messages=frozenset({message}))
        case Item(catalog=name):
            return Reads(catalogs=frozenset({name}))
        case Field(root="event", name=name):
            return Reads(event_fields=frozenset({name}))
        case Field(root="profile", name=name):
            return Reads(profile=frozenset({name}))
        case Field(root="metric", name=name):
            return Reads(metrics=frozenset({name}))
        case Field(root="prior", name=name):
            return Reads(priors=frozenset({name}))
        case Call(function="in_crowd", arguments=(Literal(value=str() as name),)):
            return Reads(crowds=frozenset({name}))
        case Call(function=name):
            return Reads(local_time="zone" in FUNCTIONS[name].needs)
    return Reads()
