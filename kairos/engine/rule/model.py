"""A rule folder after loading: pure data, what it means and nothing of how it was written.

Every struct is msgpack- and JSON-serialisable by msgspec: this is what a release is made of. Durations are ms, shares
0..1, times epoch ms; expressions stay text until `compile` makes closures of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.engine.crowd.spec import Crowd
from kairos.engine.expression.condition import Condition
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern.spec import Pattern
from kairos.engine.policy.spec import Policy

State = Literal["draft", "submitted", "approved", "live", "paused", "ended"]


class Active(msgspec.Struct, frozen=True):
    """[start, end) in epoch ms, None: open. `timezone` also serves users without one of their own."""

    start: int | None = None
    end: int | None = None
    timezone: str | None = None


class Audience(msgspec.Struct, frozen=True):
    """`control`: a share, or the name of a crowd that is the control group; None: no control group."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    where: Condition | None = None
    control: float | str | None = None


class Limits(msgspec.Struct, frozen=True):
    """`once`: "occurrence", "ever" or ms. `caps` and `counts_toward` are resolved (defaults applied)."""

    once: Literal["occurrence", "ever"] | int = "occurrence"
    caps: tuple[str, ...] = ()
    counts_toward: tuple[str, ...] = ()
    send_before: int | None = None
    quiet_hours: Literal["hold", "drop", "ignore"] = "hold"
    budget: int | None = None


class Send(msgspec.Struct, frozen=True):
    """One entry of `send`. `data` (expressions) is merged over the activity's own."""

    channel: str
    template: str | None = None
    after: int | None = None
    unless: Literal["delivered", "read", "clicked"] = "delivered"
    data: dict[str, str] = {}


class Variant(msgspec.Struct, frozen=True):
    name: str
    weight: float
    send: tuple[Send, ...]


class Goal(msgspec.Struct, frozen=True):
    """`value` is an expression over the goal event."""

    events: tuple[str, ...]
    within: int
    where: Condition | None = None
    value: str | None = None


class Activity(msgspec.Struct, frozen=True):
    """One activity. Neither `send` nor `variants`: a watch."""

    name: str
    pattern: Pattern
    title: str = ""
    owner: str = ""
    state: State = "draft"
    priority: int = 50
    active: Active = Active()
    on_change: Literal["keep", "restart", "drain"] = "keep"
    audience: Audience = Audience()
    limits: Limits = Limits()
    data: dict[str, str] = {}
    send: tuple[Send, ...] = ()
    variants: tuple[Variant, ...] = ()
    goal: Goal | None = None


class EventSchema(msgspec.Struct, frozen=True):
    """prop -> type (expression.scope.PROP_TYPES); `required` is a subset of the props."""

    props: dict[str, str]
    required: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """`mapping`: envelope field -> path in the native JSON ("props": "*" takes all); None: lines are envelopes."""

    name: str
    events: dict[str, EventSchema]
    enabled: bool = True
    identity: str | dict[str, str] = "user_id"
    mapping: dict[str, str] | None = None


class MiniProgram(msgspec.Struct, frozen=True, omit_defaults=True):
    appid: str
    path: str | None = None


class Material(msgspec.Struct, frozen=True, omit_defaults=True):
    """What templates read as `material.<name>.<field>`: images, links, mini-programs, texts."""

    title: str | None = None
    text: str | None = None
    image: str | None = None
    link: str | None = None
    mini_program: MiniProgram | None = None


class RuleSet(msgspec.Struct, frozen=True):
    """A whole folder. `sources` None: there is no sources.yaml, every event type is accepted and props are untyped.

    `profile`: field -> type, None: no profile.yaml. `templates`: "name.channel" -> Liquid text ("name" alone for a
    partial that others `render`).
    """

    activities: dict[str, Activity] = {}
    metrics: dict[str, Metric] = {}
    crowds: dict[str, Crowd] = {}
    policy: Policy = Policy()
    sources: dict[str, Source] | None = None
    profile: dict[str, str] | None = None
    templates: dict[str, str] = {}
    materials: dict[str, Material] = {}
