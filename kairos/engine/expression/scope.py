"""What an expression may refer to: `Names` while it is checked, `Scope` while it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.event import Event

Steps = Mapping[str, Sequence[Event]]
NO_STEPS: Steps = MappingProxyType({})
UTC = ZoneInfo("UTC")

# Types of the schema language (sources.yaml, profile.yaml); "any" is untyped, "null" the type of a literal null.
PROP_TYPES = ("string", "number", "integer", "boolean", "time", "date", "list", "object")


@dataclass(frozen=True)
class StepNames:
    """What is known of an earlier step: the types of its props (None: untyped), and whether it may repeat."""

    props: Mapping[str, str] | None = None
    repeated: bool = False


@dataclass(frozen=True)
class HistoryNames:
    """What may be asked of the past. `types`: the event types of sources, None: any. `props_of`: type -> its props."""

    types: frozenset[str] | None
    props_of: Callable[[str], Mapping[str, str] | None]


@dataclass(frozen=True)
class Names:
    """The static side: every name that may be used, with its type.

    `props`, `profile`: prop name -> type of PROP_TYPES, or None where nothing is declared, so that everything goes.
    `props=None` with `bare=False` means that bare names are not allowed at all (e.g. in a rule crowd).
    `forbidden`: names that exist but not here (a later step, an absent step), with the reason for the message.
    `messages`: ids of the journey's messages -> why their progress cannot be asked here ("": it can).
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
    history: HistoryNames | None = None  # of a kept crowd: `count(purchase, 90d)` and the like may be asked
    catalogs: Mapping[str, Mapping[str, str]] | None = None  # name -> fields of its items; None: any may be meant
    coupons: frozenset[str] | None = None  # pools whose codes may be taken; None: none can be taken here
    messages: Mapping[str, str] | None = None  # None: there is no journey here
    state: bool = True  # profile, metric, prior and in_crowd may be read (a metric's own `where` reads props only)


class Scope(Protocol):
    """The running side: what an expression reads. Nobody changes one; another question is another scope.

    `props`   props of the event that bare names mean
    `event`   that event (None on a deadline)
    `steps`   step name -> events taken so far, in order; a step that took nothing is missing or empty
    `progress` of a journey: id of a message -> how far it has come (functions.PROGRESS)
    `profile` the user's profile fields ({} when unknown)
    `metric`, `prior`  metric name -> value (None when there is none); `prior` is the value just before this event
    `in_crowd` crowd name -> membership
    `item`    catalog name and an item's key -> its fields, None where there is no such item
    `asked`   of a case: the kept crowds that were asked about so far
    `now`     event time in ms of the question; `zone` the user's time zone
    """

    @property
    def props(self) -> Mapping[str, Any]: ...
    @property
    def event(self) -> Event | None: ...
    @property
    def steps(self) -> Steps: ...
    @property
    def progress(self) -> Mapping[str, int]: ...
    @property
    def profile(self) -> Mapping[str, Any]: ...
    @property
    def metric(self) -> Callable[[str], Any]: ...
    @property
    def prior(self) -> Callable[[str], Any]: ...
    @property
    def in_crowd(self) -> Callable[[str], bool]: ...
    @property
    def item(self) -> Callable[[str, Any], Mapping[str, Any] | None]: ...
    @property
    def now(self) -> int: ...
    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def asked(self) -> set[str] | None: ...

    def with_steps(self, steps: Steps) -> Scope:
        """The same question with other steps."""
        ...


def no_value(_name: str) -> Any:
    return None


def not_member(_name: str) -> bool:
    return False


def no_item(_catalog: str, _key: Any) -> Mapping[str, Any] | None:
    return None


class Facts(msgspec.Struct, eq=False):
    """A scope of values that are given one by one: for what is asked of an event alone, or without an engine."""

    props: Mapping[str, Any] = {}
    event: Event | None = None
    steps: Steps = NO_STEPS
    profile: Mapping[str, Any] = {}
    metric: Callable[[str], Any] = no_value
    prior: Callable[[str], Any] = no_value
    in_crowd: Callable[[str], bool] = not_member
    now: int = 0
    zone: ZoneInfo = UTC
    asked: set[str] | None = None
    progress: Mapping[str, int] = {}
    item: Callable[[str, Any], Mapping[str, Any] | None] = no_item

    def with_steps(self, steps: Steps) -> Facts:
        return msgspec.structs.replace(self, steps=steps)
