"""A rule folder after loading: pure data, what it means and nothing of how it was written.

Every struct is msgpack- and JSON-serialisable by msgspec: this is what a release is made of. Durations are ms, shares
0..1, times epoch ms; expressions stay text until `compile` makes closures of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from kairos.engine.catalog.spec import Catalog
from kairos.engine.coupon.spec import Coupon
from kairos.engine.crowd.spec import Crowd, Keeping
from kairos.engine.expression.condition import Condition, Script
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern.spec import Pattern
from kairos.engine.policy.spec import Policy, SendWindow
from kairos.engine.profile.topics import Topic
from kairos.engine.rule.journey import Journey, journey_of
from kairos.engine.rule.workflow.spec import Workflow
from kairos.engine.source.spec import EventSchema as EventSchema
from kairos.engine.source.spec import Source as Source

State = Literal["draft", "submitted", "approved", "shadow", "live", "paused", "ended"]


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


class OncePer(msgspec.Struct, frozen=True):
    """At most once in so many ms for each value of a prop of the last matched event."""

    per: str
    span: int


class Limits(msgspec.Struct, frozen=True):
    """`once`: "occurrence", "ever", ms, or for each value. `caps`, `counts_toward` are resolved (defaults applied).

    `budget`: so many sends; `shared`: a budget of the policy, which others spend too. At most one of the two.
    """

    once: Literal["occurrence", "ever"] | int | OncePer = "occurrence"
    caps: tuple[str, ...] = ()
    counts_toward: tuple[str, ...] = ()
    send_before: int | None = None
    quiet_hours: Literal["hold", "drop", "ignore"] = "hold"
    budget: int | None = None
    send_window: SendWindow | None = None
    shared: str | None = None


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


class Best(msgspec.Struct, frozen=True):
    """Of an activity whose variants' weights are learned. `explore`: the share of users that is spread evenly.

    `prior_rate` of users reach the goal, as sure as after `prior_users` of them; 0 users: every rate is as likely.
    """

    explore: float
    prior_rate: float = 0.0
    prior_users: int = 0


class Goal(msgspec.Struct, frozen=True):
    """`value` is an expression over the goal event."""

    events: tuple[str, ...]
    within: int
    where: Condition | None = None
    value: str | None = None


SLOT = "slot"
"""The step that takes the slot of a schedule."""


class Schedule(msgspec.Struct, frozen=True):
    """When the calendar begins an activity. `minutes` of the local day; of `kind` at `day` (2026-12-12), of weekly
    `weekdays` (0: Monday), of monthly `month_day`, of yearly and date the profile's `field` and `shift` in days.

    `zone` None: each user's own. `crowd` None: everyone known. `late`: of zones already past at publish.
    """

    kind: Literal["at", "daily", "weekly", "monthly", "yearly", "date"]
    minutes: int = 0
    day: str | None = None
    weekdays: tuple[int, ...] = ()
    month_day: int = 0
    field: str | None = None
    shift: int = 0
    zone: str | None = None
    crowd: str | None = None
    late: Literal["skip", "now"] = "skip"


class Pace(msgspec.Struct, frozen=True):
    """`rate` users at the slot and at each `per` (ms) after it, 0: all at once. `waves`: growing shares, the last is 1,
    `every` ms apart. Shares that stop it; None: nothing does. `until`: ms after the slot."""

    rate: int = 0
    per: int = 1
    waves: tuple[float, ...] = ()
    every: int = 0
    stop_failed: float | None = None
    stop_unsubscribed: float | None = None
    until: int = 21_600_000


class Guardrails(msgspec.Struct, frozen=True):
    """Of a rollout: shares of its messages (`unsubscribed`: of its people); above one of them the version before is
    back for everyone."""

    failed: float = 0.05
    unsubscribed: float = 0.005
    regret: float = 0.01


class FromPlan(msgspec.Struct, frozen=True):
    """The plan that an activity was made from: its name, 16 hex digits of what it meant then, what was put in."""

    plan: str
    version: str
    parameters: dict[str, Any] = {}


MEASURED = "measured"
"""An uplift that is looked up among what `kairos learn` has found."""


class Worth(msgspec.Struct, frozen=True):
    """What a message is worth: numbers, or expressions that are asked as `data` is. None: it is not said.

    `uplift`: by how much the share of those who reach the goal rises; or `MEASURED`.
    """

    value: float | str | None = None
    uplift: float | str | None = None
    cost: float | str = 0.0

    def expressions(self) -> Iterator[str]:
        yield from (text for text in (self.value, self.uplift, self.cost) if isinstance(text, str) and text != MEASURED)


class Activity(msgspec.Struct, frozen=True):
    """One activity. Neither `send` nor `variants`: a watch. `kind`: opt-outs are of marketing only. `theme`: the folder
    of its file. `part`: what it is of a journey, "" of none (journey.py); messages and the end of a journey have an
    empty pattern. `shadow`: the version that decides beside this one and contacts nobody. `rollout`: the share of users
    who get this version; the others have the one before. None: all. `matching`: the group of the policy in which its
    messages compete.
    """

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
    kind: Literal["marketing", "service"] = "marketing"
    schedule: Schedule | None = None
    pace: Pace | None = None
    topic: str | None = None
    theme: str = ""
    part: Literal["", "entry", "message", "left"] = ""
    shadow: str | None = None
    rollout: float | None = None
    guardrails: Guardrails = Guardrails()
    plan: FromPlan | None = None
    matching: str | None = None
    worth: Worth | None = None

    @property
    def service(self) -> bool:
        return self.kind == "service"

    @property
    def sends(self) -> tuple[Send, ...]:
        """Of the activity itself and of all its variants."""
        return (*self.send, *(send for variant in self.variants for send in variant.send))

    def conditions(self) -> Iterator[Condition]:
        """What has to be true: of its steps, its audience and its goal. JavaScript is among them."""
        found = [condition for step in self.pattern.steps for condition in (step.where, step.until)]
        found += [self.audience.where, self.goal.where if self.goal else None]
        yield from (condition for condition in found if condition is not None)

    def data_expressions(self) -> Iterator[str]:
        """What messages are filled in with, and what they are worth."""
        yield from (text for data in (self.data, *(send.data for send in self.sends)) for text in data.values())
        if self.worth is not None:
            yield from self.worth.expressions()

    def expressions(self) -> Iterator[str]:
        """The text of every expression that is no JavaScript."""
        yield from (condition for condition in self.conditions() if isinstance(condition, str))
        if self.goal is not None and self.goal.value is not None:
            yield self.goal.value
        yield from self.data_expressions()

    def scripts(self) -> Iterator[Script]:
        """All JavaScript. Nobody can tell what it reads."""
        yield from (condition for condition in self.conditions() if isinstance(condition, Script))


def parts_of_journey(journey: Journey, activities: Mapping[str, Activity]) -> dict[str, Activity]:
    """The activities that a journey is recorded as, by name."""
    return {name: activity for name, activity in activities.items() if journey_of(name) == journey.name}


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
    partial that others `render`). `best`: the activities whose variants' weights are learned; `uplift`: what was
    learned of an activity's effect. `kept`: the crowds of which the warehouse makes snapshots. `journeys`: what lies
    between the activities that are parts of one. `prices`: shared budget -> what a unit of its money has to bring.
    """

    activities: dict[str, Activity] = {}
    metrics: dict[str, Metric] = {}
    crowds: dict[str, Crowd] = {}
    policy: Policy = Policy()
    sources: dict[str, Source] | None = None
    profile: dict[str, str] | None = None
    templates: dict[str, str] = {}
    materials: dict[str, Material] = {}
    best: dict[str, Best] = {}
    uplift: dict[str, float] = {}
    kept: dict[str, Keeping] = {}
    journeys: dict[str, Journey] = {}
    topics: dict[str, Topic] = {}
    catalogs: dict[str, Catalog] = {}
    coupons: dict[str, Coupon] = {}
    workflow: Workflow | None = None
    prices: dict[str, float] = {}

    def asked_about(self, activity: Activity) -> Iterator[str]:
        """The text of every expression that is asked about it, the score of its group included."""
        yield from activity.expressions()
        if activity.matching in self.policy.matching:
            yield self.policy.matching[activity.matching].score
