"""The moment in question: one user, one instant, and the scope that expressions are asked against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.effect import Effect
from kairos.engine.event import Event
from kairos.engine.expression.scope import Scope
from kairos.engine.gate.question import Verdict
from kairos.engine.metric.key import value_key
from kairos.engine.pattern import Match, Runs
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.user_state import Case, UserState

Profiles = Callable[[str], Mapping[str, Any] | None]
PER_ELEMENTS = 100


class Degraded(dict[str, Any]):
    """The profile that a source answers with when it is down and `degrade` allows deciding without."""


class Settings(msgspec.Struct, frozen=True):
    """Durations in ms.

    `max_runs` bounds the open runs of one activity and partition. `regret_for`: how long after a decision a late event
    may still be held against it. `assume_delivered`: there are no delivery workers, so a send counts as delivered at
    once (unless `Moment.awaits_receipt` says otherwise).
    """

    lateness: int = 2_000
    max_runs: int = 1_000
    regret_for: int = 86_400_000
    assume_delivered: bool = False


class Observer(Protocol):
    """Told what happens while it happens; `kairos explain` is one. All times are event times in ms."""

    def event(
        self, activity: CompiledActivity, part: str, event: Event, before: Runs | None, after: Runs | None,
        matches: list[Match], scope: Scope,
    ) -> None: ...  # fmt: skip

    def gate(
        self, activity: CompiledActivity, case: Case, now: int, gate: str, verdict: Verdict | None, scope: Scope
    ) -> None: ...


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


class Moment:
    """Points `scope` at what is asked. Reused for every user, so nothing of it outlives a call of the engine."""

    def __init__(self, settings: Settings, profiles: Profiles | None) -> None:
        self.regret_for = settings.regret_for
        self.has_workers = not settings.assume_delivered
        self.profiles = profiles
        self.scope = Scope()
        self.scope.metric = self._metric
        self.scope.prior = self.prior
        self.scope.in_crowd = self._in_crowd
        self.counters: defaultdict[str, int] = defaultdict(int)
        self.observer: Observer | None = None
        self.effects: list[Effect] = []
        self.awaits_receipt: Callable[[str, Case, int], bool] = lambda _user, _case, _now: not settings.assume_delivered
        self.before: dict[str, dict[str, Any]] = {}  # metric -> part -> value from before the event in hand
        self.case: Case | None = None  # what the scope points at, if not at an event
        self.user_id = ""
        self.part = ""
        self.profile: Mapping[str, Any] | None = None
        self._profile_known = False
        self.state: UserState
        self.plan: Plan

    def enter(self, user_id: str, state: UserState, plan: Plan, now: int) -> None:
        """A new instant of this user's time."""
        self.user_id = user_id
        self.state = state
        self.plan = plan
        self.scope.now = now
        self.scope.zone = plan.zone
        self._profile_known = False
        self.scope.profile = {}
        self.case = None
        self.before = {}
        if plan.patterns_read_profile:
            self.know_profile()

    def know_profile(self) -> None:
        """Fetch the profile once an instant, and only where something reads it."""
        if self._profile_known:
            return
        self._profile_known = True
        self.profile = self.profiles(self.user_id) if self.profiles else None
        self.scope.profile = self.profile or {}
        self.scope.zone = zone_of(self.scope.profile, None, self.plan.zone)

    def at_event(self, event: Event) -> None:
        """Bare names are this event's props from here on."""
        self.case = None
        self.scope.event = event
        self.scope.props = event.props
        self.scope.steps = {}

    def at_deadline(self) -> None:
        """Time alone has moved: there is no event."""
        self.case = None
        self.scope.event = None
        self.scope.props = {}
        self.scope.steps = {}

    def at_part(self, activity: CompiledActivity, part: str) -> None:
        """One partition of an activity's runs: `per` metrics are of its value, local time is of the activity's zone."""
        self.part = part
        if self._profile_known:  # else nothing asks for local time here
            self.scope.zone = zone_of(self.scope.profile, activity.zone, self.plan.zone)

    def at_case(self, case: Case, activity: CompiledActivity) -> None:
        """Bare names are the last matched event's props from here on."""
        self.know_profile()
        last = max((event for events in case.steps.values() for event in events), key=lambda e: e.order)
        self.at_event(last)
        self.case = case
        self.part = case.part
        self.scope.steps = case.steps
        self.scope.zone = zone_of(self.scope.profile, activity.zone, self.plan.zone)

    def _metric(self, name: str) -> Any:
        metric = self.plan.metrics.get(name)
        if metric is None:
            return None
        cells = self.state.metrics.get(metric.key) or self.plan.seed(metric.key, self.user_id)
        if metric.per is not None:
            cells = cells.get(self.part)
        return metric.value(cells, self.scope.now)

    def prior(self, name: str) -> Any:
        """The metric just before the event in hand; of a case, before the event that completed it."""
        if self.case is not None:
            return self.case.priors[name] if name in self.case.priors else self._metric(name)
        known = self.before.get(name)
        metric = self.plan.metrics.get(name)
        if known is None or metric is None:
            return self._metric(name)
        part = self.part if metric.per is not None else ""
        return known[part] if part in known else self._metric(name)

    def _in_crowd(self, name: str) -> bool:
        membership = self.plan.crowds.get(name)
        return membership is not None and membership(self.user_id, self.scope)


def zone_of(profile: Mapping[str, Any], active: ZoneInfo | None, policy: ZoneInfo) -> ZoneInfo:
    """The user's own zone, else the activity's, else the policy's; a name that is no zone counts as none."""
    name = profile.get("timezone")
    if type(name) is str:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    return active or policy
