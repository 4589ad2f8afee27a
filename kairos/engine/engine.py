"""The engine: base + tail in event time. The job, `test`, `simulate`, `explain` and the backtest all call this object.

A user's state is *base*, everything applied up to `applied_until`, and *tail*, later events in order. Nothing is
applied before the watermark has passed it, so the result does not depend on the order of arrival. One instant is one
millisecond: first the deadlines that fall on it, then all its events, then the gates, by priority.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from operator import attrgetter

import msgspec

from kairos.engine.aftermath import apply_late, apply_merged, apply_to_cases, wants_to_know
from kairos.engine.deciding import decide
from kairos.engine.effect import Effect
from kairos.engine.event import RECEIPT, Event
from kairos.engine.expression import JavaScript
from kairos.engine.expression.scope import Scope
from kairos.engine.gate.budget import REFUSAL_KNOWN_AFTER
from kairos.engine.lifecycle import take_back
from kairos.engine.matching import apply_deadlines, count, heir_of, match
from kairos.engine.moment import Moment, Profiles, Settings
from kairos.engine.receipts import apply_receipt, is_refusal
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.handlers import earliest
from kairos.engine.seen import NOWHERE, look, time_at, with_record
from kairos.engine.sweep import first_sweep, sweep
from kairos.engine.user_state import Case, UserState

_ORDER = attrgetter("order")
_TIME = attrgetter("time")


class Engine:
    """All methods change `state` in place and return what is to be done. Times are event time in ms."""

    def __init__(self, settings: Settings, profiles: Profiles | None = None) -> None:
        """`profiles` None: there is no profile source, and every channel counts as reachable."""
        self.settings = settings
        self.script = JavaScript()
        self.moment = Moment(settings, profiles)
        self.counters = self.moment.counters
        self._plans: list[Plan] = []
        self._types: frozenset[str] = frozenset({RECEIPT})
        self._glance = Scope()

    def adopt(self, plan: Plan) -> None:
        """Use this release for everything from its `effective_at` on; the one before stays for what is earlier."""
        self._plans = [*(p for p in self._plans[-1:] if p.effective_at < plan.effective_at), plan]
        self._types = frozenset({RECEIPT}).union(*(p.by_type for p in self._plans))

    @property
    def plan(self) -> Plan:
        """The newest release."""
        return self._plans[-1]

    def plan_at(self, time: int) -> Plan:
        newest = self._plans[-1]
        return newest if newest.effective_at <= time else self._plans[0]

    def reads(self, event_type: str) -> bool:
        """Whether anything is interested in events of this type; the others need not touch a state."""
        return event_type in self._types

    # ------------------------------------------------------------------------------------------ the job's way in
    def on_event(self, user_id: str, state: UserState, event: Event, watermark: int) -> list[Effect]:
        """Take an event in, in any order; then apply everything that the watermark has passed."""
        if event.type == RECEIPT:
            self._take_receipt(user_id, state, event)
        elif not self.is_repeated(state, event):
            if event.time <= state.applied_until:
                self.moment.enter(user_id, state, self.plan_at(state.applied_until), state.applied_until)
                apply_late(self.moment, event)
                self._refresh_due(state)
            else:
                _insert(state.tail, event)
        if not state.sweep_at:
            state.sweep_at = first_sweep(self.plan, event.time)
        if self.moment.effects:
            return self.take_effects() + self.on_time(user_id, state, watermark)
        return self.on_time(user_id, state, watermark)

    def _take_receipt(self, user_id: str, state: UserState, receipt: Event) -> None:
        """Receipts go in the order of event time like everything else, so that what they free is free from then on.

        They are never late: one from before what was applied acts at once. A refusal has a way to go, and acts after a
        fixed time.
        """
        if self.moment.has_workers and is_refusal(receipt):
            receipt = msgspec.structs.replace(receipt, time=receipt.time + REFUSAL_KNOWN_AFTER)
        if receipt.time <= state.applied_until:
            self.on_receipt(user_id, state, receipt)
        else:
            _insert(state.tail, receipt)

    def on_receipt(self, user_id: str, state: UserState, receipt: Event) -> None:
        """Let a receipt act on what is applied: on reservations and fallback, never on patterns."""
        now = max(receipt.time, state.applied_until)
        self.moment.enter(user_id, state, self.plan_at(now), now)
        apply_receipt(self.moment, receipt)
        self._refresh_due(state)

    def on_time(self, user_id: str, state: UserState, watermark: int) -> list[Effect]:
        """Apply everything up to the watermark, instant by instant."""
        effects: list[Effect] = []
        while True:
            if 0 < state.due <= watermark:
                self._refresh_due(state)
            instant = _next_instant(state)
            if instant is None or instant > watermark:
                break
            events = _take(state, instant)
            cases = self.advance(user_id, state, instant, events)
            if self.moment.effects:
                effects += self.take_effects()
            for case in sorted(cases, key=self.rank) if cases else ():
                effects += self.decide(user_id, state, case, instant)
            for event in events:
                if event.type == RECEIPT:
                    self.on_receipt(user_id, state, event)
                    effects += self.take_effects()
            self.finish(state, instant)
        if state.sweep_at and state.sweep_at <= watermark:
            sweep(self.plan_at(watermark), state, watermark)
        return effects

    def next_timer(self, state: UserState) -> int | None:
        """The earliest time at which base and tail could have an effect; None: only another event can.

        Most events begin nothing, or could complete what was never begun: they are not worth a timer.
        """
        due, sweep_at = state.due, state.sweep_at
        first = due if due and (not sweep_at or due < sweep_at) else sweep_at
        begun, before = False, None
        for event in state.tail:
            if first and event.time >= first:
                break
            begun = begun or (before is not None and self._may_begin(before))
            after = self._decides_after(state, event, begun)
            if after is not None and (not first or event.time + after < first):
                first = event.time + after
            before = event
        return first or None

    # ------------------------------------------------------------------------------- one instant, in its two halves
    def advance(self, user_id: str, state: UserState, instant: int, events: list[Event]) -> list[Case]:
        """First half: deadlines, then events. Returns the cases that are due for the gates; effects are kept back."""
        plan = self.plan_at(instant)
        moment = self.moment
        moment.enter(user_id, state, plan, instant)
        found: list[Case] = []
        if 0 < state.due <= instant and state.runs:
            apply_deadlines(moment, instant, found)
        for event in events:
            handlers = plan.by_type.get(event.type)
            if handlers is None:
                continue
            count(moment, handlers, event)
            if event.merged:
                apply_merged(moment, event)
            else:
                if state.cases:
                    apply_to_cases(moment, handlers, event)
                match(moment, handlers, event, found)
        if state.cases:
            found += _due_cases(state, instant)
        state.applied_until = instant
        return found

    def decide(self, user_id: str, state: UserState, case: Case, instant: int) -> list[Effect]:
        """Second half, for one case: its gates. Cases of one instant go in the order of `rank`."""
        if self.moment.state is not state or self.moment.scope.now != instant:
            self.moment.enter(user_id, state, self.plan_at(instant), instant)
        case.fallback_at = 0
        effect = decide(self.moment, case, instant)
        return self.take_effects() if effect is None else [*self.take_effects(), effect]

    def rank(self, case: Case) -> tuple[int, str, int, str]:
        """Who goes first at one instant: high priority, then name, then the earlier match."""
        activity = self.moment.plan.compiled(case.activity, case.version)
        return (activity.first_priority if activity else 0, case.activity, case.matched_at, case.occurrence)

    def finish(self, state: UserState, instant: int) -> None:
        """After the gates of an instant: know what is due next, and drop what has lapsed now and then."""
        if state.cases or 0 < state.due <= instant:
            self._refresh_due(state)
        if not state.sweep_at:
            state.sweep_at = first_sweep(self.plan, instant)
        elif state.sweep_at <= instant:
            sweep(self.plan_at(instant), state, instant)

    def refuse_budget(self, user_id: str, state: UserState, case: Case) -> None:
        """Dispatch had no budget left for this send: it used up nothing."""
        self.moment.enter(user_id, state, self.plan_at(state.applied_until), state.applied_until)
        take_back(self.moment, case)
        self._refresh_due(state)

    # ------------------------------------------------------------------------------------------------- details
    def take_effects(self) -> list[Effect]:
        effects, self.moment.effects = self.moment.effects, []
        return effects

    def _decides_after(self, state: UserState, event: Event, begun: bool) -> int | None:
        """How long after this event of the tail, at the earliest, something is decided because of it; None: nothing.

        `begun`: a match may have begun with an event before it in the tail.
        """
        if event.type == RECEIPT:
            return 0
        plan = self.plan_at(event.time)
        handlers = plan.by_type.get(event.type)
        if handlers is None:
            return None
        if state.cases and ((handlers.goals and not event.merged) or wants_to_know(plan, state, event)):
            return 0
        if event.merged:
            return None
        after = handlers.ever_after if begun else None
        if state.runs and not begun:
            for key in state.runs.keys() & handlers.with_runs.keys():
                after = earliest(after, handlers.with_runs[key])
        if handlers.alone:
            scope = self._glance_at(event)
            for opener in handlers.alone:
                if opener.begins is None or opener.begins(scope):
                    after = earliest(after, opener.alone_after)
        return after

    def _may_begin(self, event: Event) -> bool:
        handlers = self.plan_at(event.time).by_type.get(event.type)
        if handlers is None or event.merged:
            return False
        scope = self._glance_at(event)
        for opener in handlers.openers:  # noqa: SIM110 (any() costs more than what it asks)
            if opener.begins is None or opener.begins(scope):
                return True
        return False

    def _glance_at(self, event: Event) -> Scope:
        """For conditions that ask nothing but an event."""
        self._glance.event, self._glance.props = event, event.props
        return self._glance

    def is_repeated(self, state: UserState, event: Event) -> bool:
        """Of events with one (source, id) within the horizon the first in event time stays, or the one applied.

        One from before what was applied could only be late, so then the other stays.
        """
        mark, place = look(state.seen, event)
        if place != NOWHERE:
            known = time_at(state.seen, place, event.time)
            if abs(event.time - known) < self.plan.dedup:
                self.counters["duplicate"] += 1
                if event.time >= known or event.time <= state.applied_until or known <= state.applied_until:
                    return True
                state.tail = _without(state.tail, event)
        state.seen = with_record(state.seen, place, mark, event.time)
        return False

    def _refresh_due(self, state: UserState) -> None:
        """What is due may be later than it was, after a run has ended; matching only ever moves it earlier.

        Runs answer to the release that their user was last touched under; a newer one takes them on when it is.
        """
        plan, due = self.plan_at(state.applied_until), 0
        for key, runs_of in state.runs.items():
            activity = heir_of(plan, key, runs_of)
            if activity is None:
                continue
            for runs in runs_of.parts.values():
                deadline = activity.matcher.next_deadline(runs)
                if deadline is not None and (not due or deadline < due):
                    due = deadline
        for case in state.cases:
            for time in (case.held_until, case.fallback_at):
                if time and (not due or time < due):
                    due = time
        state.due = due


def _insert(tail: list[Event], event: Event) -> None:
    if not tail or tail[-1].time < event.time:
        tail.append(event)
    else:
        insort(tail, event, key=_ORDER)


def _next_instant(state: UserState) -> int | None:
    """When something is to be applied next: what is due, or the first event of the tail."""
    due = max(state.due, state.applied_until) if state.due else 0
    if not state.tail:
        return due or None
    first = state.tail[0].time
    return min(due, first) if due else first


def _without(tail: list[Event], repeated: Event) -> list[Event]:
    same = (repeated.source, repeated.id)
    return [event for event in tail if (event.source, event.id) != same or event.type == RECEIPT]


def _due_cases(state: UserState, instant: int) -> list[Case]:
    return [c for c in state.cases if 0 < c.held_until <= instant or 0 < c.fallback_at <= instant]


def _take(state: UserState, instant: int) -> list[Event]:
    """The events of the tail up to this instant; they are no longer in it."""
    tail = state.tail
    if not tail or tail[0].time > instant:
        return []
    end = bisect_right(tail, instant, key=_TIME)
    taken, state.tail = tail[:end], tail[end:]
    return taken
