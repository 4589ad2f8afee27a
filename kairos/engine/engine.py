"""The engine: base + tail in event time. The job, `test`, `simulate`, `explain` and the backtest all call this object.

A user's state is *base*, everything applied up to `applied_until`, and *tail*, later events in order. Nothing is
applied before the watermark has passed it, so the result does not depend on the order of arrival. One instant is one
millisecond: first the deadlines that fall on it, then all its events, then the gates, by priority.
"""

from __future__ import annotations

from bisect import insort

from kairos.engine import aftermath
from kairos.engine.deciding import decide, take_back
from kairos.engine.effect import Effect
from kairos.engine.event import Event
from kairos.engine.expression import JavaScript
from kairos.engine.matching import apply_deadlines, apply_event
from kairos.engine.moment import Moment, Profiles, Settings
from kairos.engine.rule.compile import Plan
from kairos.engine.sweep import HOUR, sweep
from kairos.engine.user_state import Case, UserState

RECEIPT = "receipt"


class Engine:
    """All methods change `state` in place and return what is to be done. Times are event time in ms."""

    def __init__(self, settings: Settings, profiles: Profiles | None = None) -> None:
        """`profiles` None: there is no profile source, and every channel counts as reachable."""
        self.settings = settings
        self.script = JavaScript()
        self.moment = Moment(settings, profiles)
        self.counters = self.moment.counters
        self._plans: list[Plan] = []

    def adopt(self, plan: Plan) -> None:
        """Use this release for everything from its `effective_at` on; the one before stays for what is earlier."""
        self._plans = [*(p for p in self._plans[-1:] if p.effective_at < plan.effective_at), plan]

    @property
    def plan(self) -> Plan:
        """The newest release."""
        return self._plans[-1]

    def plan_at(self, time: int) -> Plan:
        for plan in reversed(self._plans):
            if plan.effective_at <= time:
                return plan
        return self._plans[0]

    def reads(self, event_type: str) -> bool:
        """Whether anything is interested in events of this type; the others need not touch a state."""
        return event_type == RECEIPT or any(event_type in plan.by_type for plan in self._plans)

    # ------------------------------------------------------------------------------------------ the job's way in
    def on_event(self, user_id: str, state: UserState, event: Event, watermark: int) -> list[Effect]:
        """Take an event in, in any order; then apply everything that the watermark has passed."""
        if event.type == RECEIPT:
            return self.on_receipt(user_id, state, event) + self.on_time(user_id, state, watermark)
        if not self.is_repeated(state, event):
            if event.time <= state.applied_until:
                self.moment.enter(user_id, state, self.plan_at(event.time), state.applied_until)
                aftermath.apply_late(self.moment, event)
                self._refresh_due(state)
            else:
                insort(state.tail, _without_user(event), key=_order)
        return self.take_effects() + self.on_time(user_id, state, watermark)

    def on_receipt(self, user_id: str, state: UserState, receipt: Event) -> list[Effect]:
        """A receipt acts at once, whatever the watermark."""
        self.moment.enter(user_id, state, self.plan, max(receipt.time, state.applied_until))
        aftermath.apply_receipt(self.moment, receipt, state.applied_until)
        self._refresh_due(state)
        return self.take_effects()

    def on_time(self, user_id: str, state: UserState, watermark: int) -> list[Effect]:
        """Apply everything up to the watermark, instant by instant."""
        effects: list[Effect] = []
        while True:
            instant = self._next_instant(state)
            if instant is None or instant > watermark:
                break
            count = 0
            while count < len(state.tail) and state.tail[count].time == instant:
                count += 1
            events, state.tail = state.tail[:count], state.tail[count:]
            cases = self.advance(user_id, state, instant, events)
            effects += self.take_effects()
            for case in sorted(cases, key=self.rank):
                effects += self.decide(user_id, state, case, instant)
            self.finish(state, instant)
        if state.sweep_at and state.sweep_at <= watermark:
            sweep(self.plan, state, watermark)
        return effects

    def next_timer(self, state: UserState) -> int | None:
        """The earliest time at which base and tail could have an effect; None: only another event can."""
        times = [time for time in (state.due, state.sweep_at) if time]
        waiting = any(case.held_for or case.fallback_at for case in state.cases)
        for event in state.tail:
            handlers = self.plan_at(event.time).by_type.get(event.type)
            if handlers is not None and handlers.opens_after is not None:
                times.append(event.time + handlers.opens_after)
            elif waiting:
                times.append(event.time)
        return min(times, default=None)

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
            if state.cases:
                aftermath.apply_to_cases(moment, event)
            apply_event(moment, event, found)
        if state.cases:
            found += [c for c in state.cases if 0 < c.held_until <= instant or 0 < c.fallback_at <= instant]
        state.applied_until = instant
        return found

    def decide(self, user_id: str, state: UserState, case: Case, instant: int) -> list[Effect]:
        """Second half, for one case: its gates. Cases of one instant go in the order of `rank`."""
        if self.moment.state is not state or self.moment.scope.now != instant:
            self.moment.enter(user_id, state, self.plan_at(instant), instant)
        case.fallback_at = 0
        effect = decide(self.moment, case, instant)
        return [] if effect is None else [effect]

    def rank(self, case: Case) -> tuple[int, str, int, str]:
        """Who goes first at one instant: high priority, then name, then the earlier match."""
        activity = self.plan.compiled(case.activity, case.version)
        return (activity.first_priority if activity else 0, case.activity, case.matched_at, case.occurrence)

    def finish(self, state: UserState, instant: int) -> None:
        """After the gates of an instant: know what is due next, and drop what has lapsed now and then."""
        if state.runs or state.cases or state.due:
            self._refresh_due(state)
        if not state.sweep_at:
            state.sweep_at = instant + HOUR
        elif state.sweep_at <= instant:
            sweep(self.plan, state, instant)

    def refuse_budget(self, user_id: str, state: UserState, case: Case) -> None:
        """Dispatch had no budget left for this send: it used up nothing."""
        self.moment.enter(user_id, state, self.plan, state.applied_until)
        take_back(self.moment, case)
        self._refresh_due(state)

    # ------------------------------------------------------------------------------------------------- details
    def _next_instant(self, state: UserState) -> int | None:
        due = max(state.due, state.applied_until) if state.due else 0
        if not state.tail:
            return due or None
        first = state.tail[0].time
        return min(due, first) if due else first

    def take_effects(self) -> list[Effect]:
        effects, self.moment.effects = self.moment.effects, []
        return effects

    def is_repeated(self, state: UserState, event: Event) -> bool:
        """Of events with one (source, id) within the horizon the first in event time stays, or the one applied."""
        key = f"{event.source}\0{event.id}"
        known = state.seen.get(key)
        if known is not None and abs(event.time - known) < self.plan.policy.dedup:
            self.counters["duplicate"] += 1
            place = next((i for i, e in enumerate(state.tail) if e.id == event.id and e.source == event.source), None)
            if place is None or event.time >= known:
                return True
            del state.tail[place]
        state.seen[key] = event.time
        return False

    def _refresh_due(self, state: UserState) -> None:
        plan, due = self.plan, 0
        for key, runs_of in state.runs.items():
            name, _, version = key.partition("@")
            activity = plan.draining.get(version) if version else plan.activities.get(name)
            for runs in runs_of.parts.values() if activity is not None else ():
                deadline = activity.matcher.next_deadline(runs)
                if deadline is not None and (not due or deadline < due):
                    due = deadline
        for case in state.cases:
            for time in (case.held_until, case.fallback_at):
                if time and (not due or time < due):
                    due = time
        state.due = due


def _order(event: Event) -> tuple[int, str, str]:
    return (event.time, event.source, event.id)


def _without_user(event: Event) -> Event:
    return Event(event.id, event.type, event.time, event.source, event.props)
