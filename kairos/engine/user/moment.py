"""What is asked, and of what: an `Instant` is one user at one time, a `Moment` one question's view of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.catalog.item import key_text
from kairos.engine.catalog.items import Items, no_items
from kairos.engine.crowd.membership import SNAPSHOTS
from kairos.engine.decision import Choice, Verdict
from kairos.engine.event import Event
from kairos.engine.expression.scope import NO_STEPS, Steps
from kairos.engine.metric.key import value_key
from kairos.engine.pattern import Match, Runs
from kairos.engine.profile.consent import unreadable
from kairos.engine.profile.port import Degraded, Profiles
from kairos.engine.profile.zone import is_zone_lost, own_zone
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.rule.journey import journey_of
from kairos.engine.settings import Settings
from kairos.engine.user.case import Case
from kairos.engine.user.state import UserState

_ORDER = attrgetter("order")
PER_ELEMENTS = 100
Before = dict[str, dict[str, Any]]
"""Metric -> part -> its value from before the event in hand, of metrics that some rule reads as `prior`."""

AwaitsReceipt = Callable[[str, Case, int], bool]
"""User id, case, time of the send (ms) -> whether a receipt of this send may still come."""


class Observer(Protocol):
    """Told what happens while it happens; `kairos explain` is one. All times are event times in ms."""

    def event(
        self, activity: CompiledActivity, moment: Moment, before: Runs | None, after: Runs | None, matches: list[Match]
    ) -> None:
        """An activity has seen the event of this moment, in the moment's part."""

    def gate(
        self, activity: CompiledActivity, moment: Moment, case: Case, gate: str, verdict: Verdict | None
    ) -> None: ...

    def dropped(
        self, activity: CompiledActivity, instant: Instant, part: str, before: Runs, after: Runs | None
    ) -> None:
        """Open matches were given up, because they or all that is kept of the user took too much room."""

    def journey(self, entry: CompiledActivity, instant: Instant, text: str, until: int | None) -> None:
        """Somebody inside a journey moved, or did not, told for people. `until`: when they go on by themselves."""

    def compared(self, activity: CompiledActivity, instant: Instant, case: Case, choice: Choice, ghost: bool) -> None:
        """A candidate has won or lost against the others of its group. `ghost`: of the control group."""

    def fallback(self, activity: CompiledActivity, instant: Instant, case: Case, send: CompiledSend) -> None:
        """It is not needed: the receipt that it stands in for has come."""


class Surroundings:
    """What an engine was made with, the same for all users, and what it counts. No result depends on the counts.

    `switches`: as they stand, and stood of late.
    """

    def __init__(
        self,
        settings: Settings,
        profiles: Profiles | None = None,
        awaits_receipt: AwaitsReceipt | None = None,
        observer: Observer | None = None,
        items: Items = no_items,
    ) -> None:
        self.items = items
        self.settings = settings
        self.profiles = profiles
        self.has_workers = not settings.assume_delivered
        self.awaits_receipt = awaits_receipt or (lambda _user, _case, _time: self.has_workers)
        self.observer = observer
        self.switches = Switches()
        self.counters: defaultdict[str, int] = defaultdict(int)
        self.dropped: defaultdict[str, int] = defaultdict(int)
        """Activity -> open matches that were not kept."""

    def drop(self, activity: str, runs: int) -> None:
        """Open matches of this activity were not kept, or given up, because of a bound."""
        self.dropped[activity] += runs
        self.counters["runs_dropped"] += runs


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Person(NamedTuple):
    """What the profile says of a user. `profile` None: nobody knows this user. `zone_lost`: nobody can read it."""

    profile: Mapping[str, Any] | None
    zone: ZoneInfo | None
    zone_lost: bool


class Instant(msgspec.Struct, eq=False, gc=False):
    """One user at one millisecond of event time, under the release that holds then. `state` is what changes.

    `known`: the profile, once something has read it; it is fetched no earlier than that. `live`: of a shadow, what it
    stands beside; None of everything else.
    """

    surroundings: Surroundings
    user_id: str
    state: UserState
    program: Program
    now: int
    known: Person | None = None
    live: Instant | None = None

    @property
    def facts(self) -> UserState:
        """Where the user's metrics and consents are."""
        return self.state if self.live is None else self.live.state

    def awaits_receipt(self, case: Case, sent_at: int) -> bool:
        """Whether a receipt of a send at this time (ms) may come; of a shadow's nothing is ever sent."""
        return self.live is None and self.surroundings.awaits_receipt(self.user_id, case, sent_at)

    @property
    def person(self) -> Person:
        if self.live is not None:
            return self.live.person
        if self.known is None:
            self.known = self._fetch()
        return self.known

    @property
    def profile(self) -> Mapping[str, Any] | None:
        return self.person.profile

    @property
    def degraded(self) -> bool:
        """Whether something of this user is not known that decides about the right time or the right channel."""
        return isinstance(self.person.profile, Degraded) or self.person.zone_lost

    def _fetch(self) -> Person:
        """Counts what of the profile cannot be read."""
        profiles, counters = self.surroundings.profiles, self.surroundings.counters
        profile = profiles(self.user_id, self.now) if profiles else None
        known = profile or {}
        zone, lost = own_zone(known), unreadable(known)
        zone_lost = zone is None and is_zone_lost(known)
        for field in [*lost, "timezone"] if zone_lost else lost:
            counters[f"unreadable_{field}"] += 1
        return Person(profile, zone, zone_lost)


class Moment(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The `Scope` of one question. It is never changed: whoever asks about another part or case makes another one.

    `part`: the value of `per` that metrics are read of. `local`: the zone of the activity, else the policy's. `case`:
    what is asked about, where it is no event in hand. `asked`: of a case, the kept crowds that were asked about so far.
    `progress`: of somebody inside a journey, how far each of its messages has come.
    """

    instant: Instant
    now: int
    local: ZoneInfo
    event: Event | None = None
    props: Mapping[str, Any] = _NOTHING
    before: Mapping[str, Mapping[str, Any]] = _NOTHING
    part: str = ""
    steps: Steps = NO_STEPS
    case: Case | None = None
    asked: set[str] | None = None
    progress: Mapping[str, int] = _NOTHING

    @property
    def profile(self) -> Mapping[str, Any]:
        return self.instant.person.profile or {}

    @property
    def zone(self) -> ZoneInfo:
        """Local time is the user's own, else the activity's, else the policy's."""
        return self.instant.person.zone or self.local

    def metric(self, name: str) -> Any:
        instant = self.instant
        metric = instant.program.metrics.get(name)
        if metric is None:
            return None
        cells = instant.facts.metrics.get(metric.key) or instant.program.seed(metric.key, instant.user_id)
        if metric.per is not None:
            cells = cells.get(self.part)
        return metric.value(cells, self.now)

    def prior(self, name: str) -> Any:
        """The metric just before the event in hand; of a case, before the event that completed it."""
        if self.case is not None:
            return self.case.priors[name] if name in self.case.priors else self.metric(name)
        known = self.before.get(name)
        metric = self.instant.program.metrics.get(name)
        if known is None or metric is None:
            return self.metric(name)
        part = self.part if metric.per is not None else ""
        return known[part] if part in known else self.metric(name)

    def in_crowd(self, name: str) -> bool:
        membership = self.instant.program.crowds.get(name)
        return membership is not None and membership(self.instant.user_id, self)

    def item(self, catalog: str, key: Any) -> Mapping[str, Any] | None:
        text = key_text(key)
        return None if text is None else self.instant.surroundings.items(catalog, text, self.now)

    def snapshots(self) -> dict[str, int]:
        """Of the kept crowds that were asked about: the number of the snapshot that answered."""
        known = self.profile.get(SNAPSHOTS) if self.asked else None
        return {name: known[name] for name in sorted(self.asked or ()) if name in known} if known else {}

    def with_steps(self, steps: Steps) -> Moment:
        return Moment(
            self.instant, self.now, self.local, self.event, self.props, self.before, self.part, steps, self.case,
            self.asked, self.progress,
        )  # fmt: skip

    def of_part(self, activity: CompiledActivity, part: str, steps: Steps = NO_STEPS) -> Moment:
        """For one activity and one value of its `per`: metrics are of that value, local time is of its zone."""
        local = activity.zone or self.instant.program.zone
        if part == self.part and local is self.local and steps is self.steps:
            return self
        return Moment(self.instant, self.now, local, self.event, self.props, self.before, part, steps, self.case)


def at_event(instant: Instant, event: Event, before: Mapping[str, Mapping[str, Any]]) -> Moment:
    """The moment of an event: bare names are its props."""
    return Moment(instant, instant.now, instant.program.zone, event, event.props, before)


def at_deadline(instant: Instant) -> Moment:
    """The moment of a deadline: only time has passed, so there is no event."""
    return Moment(instant, instant.now, instant.program.zone)


def at_case(instant: Instant, activity: CompiledActivity, case: Case) -> Moment:
    """The moment of a case: bare names are the props of its last matched event."""
    taken = [event for events in case.steps.values() for event in events]
    last = taken[0] if len(taken) == 1 else max(taken, key=_ORDER)
    local = activity.zone or instant.program.zone
    progress: Mapping[str, int] = _NOTHING
    if activity.spec.part:
        run = instant.state.journeys.get(journey_of(activity.name), {}).get(case.part)
        progress = run.progress if run is not None and run.occurrence == case.occurrence else {}
    return Moment(instant, instant.now, local, last, last.props, _NOTHING, case.part, case.steps, case, set(), progress)


def part_keys(event: Event, per: str | None) -> Sequence[str]:
    """The partitions that see the event: none for a null value, one for each element of a list."""
    if per is None:
        return ("",)
    value = event.props.get(per)
    if value is None:
        return []
    if type(value) is list:
        return list(dict.fromkeys(value_key(v) for v in value[:PER_ELEMENTS] if v is not None))
    return [value_key(value)]
