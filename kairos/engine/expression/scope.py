"""What an expression may refer to: `Names` while it is checked, `Scope` while it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.event import Event

# Types of the schema language (sources.yaml, profile.yaml); "any" is untyped, "null" the type of a literal null.
PROP_TYPES = ("string", "number", "integer", "boolean", "time", "date", "list", "object")


@dataclass(frozen=True)
class StepNames:
    """What is known of an earlier step: the types of its props (None: untyped), and whether it may repeat."""

    props: Mapping[str, str] | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Names:
    """The static side: every name that may be used, with its type.

    `props`, `profile`: prop name -> type of PROP_TYPES, or None where nothing is declared, so that everything goes.
    `props=None` with `bare=False` means that bare names are not allowed at all (e.g. in a rule crowd).
    `forbidden`: names that exist but not here (a later step, an absent step), with the reason for the message.
    """

    props: Mapping[str, str] | None = None
    bare: bool = True
    props_of: str = ""  # the event type(s) that `props` belong to, for messages
    steps: Mapping[str, StepNames] = field(default_factory=dict)
    profile: Mapping[str, str] | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)  # metric name -> type
    crowds: frozenset[str] = frozenset()
    forbidden: Mapping[str, str] = field(default_factory=dict)
    event: bool = True  # `event.type|time|id|source` may be read
    state: bool = True  # profile, metric, prior and in_crowd may be read (a metric's own `where` reads props only)


def no_value(_name: str) -> Any:
    return None


def not_member(_name: str) -> bool:
    return False


class Scope:
    """The running side: one mutable object that the engine points at the moment in question.

    `props`   props of the event that bare names mean
    `event`   that event (None on a deadline)
    `steps`   step name -> events taken so far, in order; a step that took nothing is missing or empty
    `profile` the user's profile fields ({} when unknown)
    `metric`, `prior`  metric name -> value (None when there is none); `prior` is the value just before this event
    `in_crowd` crowd name -> membership
    `now`     event time in ms of the question; `zone` the user's time zone
    """

    __slots__ = ("event", "in_crowd", "metric", "now", "prior", "profile", "props", "steps", "zone")

    def __init__(self) -> None:
        self.event: Event | None = None
        self.props: Mapping[str, Any] = {}
        self.steps: Mapping[str, Sequence[Event]] = {}
        self.profile: Mapping[str, Any] = {}
        self.metric: Callable[[str], Any] = no_value
        self.prior: Callable[[str], Any] = no_value
        self.in_crowd: Callable[[str], bool] = not_member
        self.now: int = 0
        self.zone: ZoneInfo = ZoneInfo("UTC")
