"""The engine over a list of events: time is theirs, and runs on to the end of the last timer."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kairos.engine.catalog.items import ItemsThen
from kairos.engine.catalog.played import play_catalogs
from kairos.engine.coupon.played import played_pools
from kairos.engine.coupon.pools import Coupons
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect, Refund
from kairos.engine.engine import Engine
from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.expression.condition import Script
from kairos.engine.gate.budget import Budget, Purse, budget_of, request_of, settle
from kairos.engine.play.expected_receipts import ExpectedReceipts
from kairos.engine.profile.port import History, at_all_times
from kairos.engine.rule.changes.trial import off_trial
from kairos.engine.rule.compile import Program, compile_release
from kairos.engine.rule.journey import conditions_of
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.schedule.played import with_slots
from kairos.engine.settings import Settings
from kairos.engine.user.moment import Observer
from kairos.engine.user.state import UserState

UserProfiles = Mapping[str, Mapping[str, Any]]
Rank = tuple[int, int, str, str]


def as_if_live(rules: RuleSet) -> RuleSet:
    """Drafts and activities on their way to approval run like live ones in test, simulate and explain."""
    rehearsed = {
        name: msgspec.structs.replace(a, state="live") if a.state in ("draft", "submitted", "approved") else a
        for name, a in rules.activities.items()
    }
    return msgspec.structs.replace(rules, activities=rehearsed)


def program_of(rules: RuleSet) -> Program | None:
    """For runs with the default settings and without shadows. None: they have scripts, which remember what they cost
    from one run to the next."""
    played = off_trial(as_if_live(rules))
    conditions = [each for activity in played.activities.values() for each in activity.conditions()]
    conditions += [each for journey in played.journeys.values() for each in conditions_of(journey)]
    if any(isinstance(each, Script) for each in conditions):
        return None
    return compile_release(Release(1, played), max_runs=Settings().max_runs)


class Simulation:
    """One run. `profiles`: the same at all times, but for a `History`; None: every channel counts as reachable.

    `as_arrived`: in file order with the lateness, as the live job has it, else in the order of event time.
    `shadows`: versions that stand beside activities, as in a release; None: what is on trial runs as if it were live.
    `on_duplicate` is told the index of each event dropped as a repetition. `engine` may be inspected afterwards
    (`counters`, `dropped`), `users` as well. `program`: what `program_of` these rules gave, in no other run meanwhile.
    """

    def __init__(
        self,
        rules: RuleSet,
        profiles: UserProfiles | None = None,
        settings: Settings | None = None,
        observer: Observer | None = None,
        on_duplicate: Callable[[int], None] | None = None,
        as_arrived: bool = False,
        shadows: Mapping[str, Activity] | None = None,
        program: Program | None = None,
    ) -> None:
        self._rules = as_if_live(rules) if shadows is not None else off_trial(as_if_live(rules))
        self._profiles = profiles
        self.settings = settings or Settings(assume_delivered=True)
        if not as_arrived:
            self.settings = msgspec.structs.replace(self.settings, regret_for=0)  # in a sorted file nothing is late
        self._as_arrived = as_arrived
        self._receipts = ExpectedReceipts()
        find = profiles.as_of if isinstance(profiles, History) else None if profiles is None else at_all_times(profiles)
        self._coupons = played_pools(rules.coupons)
        budgets = None if as_arrived else Purse(self._coupons)
        self._items = ItemsThen()
        self.engine = Engine(self.settings, find, budgets, self._receipts, observer, self._items)
        release = Release(1, self._rules, shadows=dict(shadows or {}))
        self.engine.adopt(
            program or compile_release(release, max_runs=self.settings.max_runs, script=self.engine.script)
        )
        self.program: Program = self.engine.program
        self.users: defaultdict[str, UserState] = defaultdict(UserState)
        self._on_duplicate = on_duplicate or (lambda _index: None)
        self._timers: list[tuple[int, str]] = []

    def run(self, events: Sequence[Event], first: int | None = None, last: int | None = None) -> Iterator[Record]:
        """Decisions in record order: time, priority, activity, user.

        Followers hear of what changes in a catalog. Every known user meets the slots of schedules in [first, last]
        (epoch ms); None: from the first event, to the last one.
        """
        self._receipts.add(events)
        count = len(events)
        events = play_catalogs(self.program.rules.catalogs, events, self._items, self.engine.counters)
        events = with_slots(self._rules, events, self._profiles, first, last)
        return self._play_as_arrived(events, count) if self._as_arrived else self._play_in_order(events)

    # ------------------------------------------------------------------------------------------- by instants of time
    def _play_in_order(self, events: Sequence[Event]) -> Iterator[Record]:
        times = [event.time for event in events]
        order = sorted(range(len(events)), key=times.__getitem__)
        timers, reads = self._timers, self.engine.reads
        records: list[Record] = []
        place, count, now = 0, len(order), 0
        while place < count or timers:
            time = times[order[place]] if place < count else END_OF_TIME
            instant = max(now, min(time, timers[0][0] if timers else END_OF_TIME))
            if instant != now and records:
                yield from sorted(records, key=self._rank)
                records = []
            now = instant
            touched = self._due_users(instant)
            first = place
            while place < count and times[order[place]] == instant:
                place += 1
            batch = order[first:place]
            if len(batch) > 1:
                batch.sort(key=lambda index: events[index].order)
            for index in batch:
                if reads(events[index].type):
                    touched.setdefault(events[index].user_id, []).append(index)
            for user in sorted(touched) if len(touched) > 1 else touched:
                records += self._play_instant(user, instant, [(index, events[index]) for index in touched[user]])
        yield from sorted(records, key=self._rank)

    def _due_users(self, instant: int) -> dict[str, list[int]]:
        touched: dict[str, list[int]] = {}
        while self._timers and self._timers[0][0] <= instant:
            due, user = heapq.heappop(self._timers)
            if self.users[user].next_due == due:
                touched[user] = []
        return touched

    def _play_instant(self, user: str, instant: int, events: Sequence[tuple[int, Event]]) -> list[Record]:
        """All that happens to one user at one time. Nothing is in a tail then: what the state says is due is all."""
        state = self.users[user]
        if not events:
            effects = self.engine.on_time(user, state, instant)
        else:
            *earlier, (index, last) = events
            for number, event in earlier:  # they only wait for the last one
                self._take(number, event, state, instant - 1)
            effects = self._take(index, last, state, instant)
        if due := state.next_due:
            heapq.heappush(self._timers, (due, user))
        return [effect for effect in effects if isinstance(effect, Record)] if effects else []

    # ------------------------------------------------------------------------------------------ as arrived, by timers
    def _play_as_arrived(self, events: Sequence[Event], count: int) -> Iterator[Record]:
        """What comes later than the lateness allows is late. Budgets are spent afterwards, as outside of the engine.

        The first `count` events come as they stand, the slots behind them when their time has come.
        """
        effects: list[Effect] = []
        watermark = 0
        for index in _as_told(events, count):
            event = events[index]
            watermark = max(watermark, event.time - self.settings.lateness - 1)
            effects += self._fire(watermark)
            if self.engine.reads(event.type):
                effects += self._take(index, event, self.users[event.user_id], watermark)
                self._set_timer(event.user_id)
        effects += self._fire(END_OF_TIME)
        records = [effect for effect in effects if isinstance(effect, Record)]
        asked = (effect for effect in effects if isinstance(effect, Candidate | Refund))
        records += _spend(asked, self._coupons)
        yield from sorted(records, key=self._rank)

    def _fire(self, watermark: int) -> list[Effect]:
        effects: list[Effect] = []
        while self._timers and self._timers[0][0] <= watermark:
            due, user = heapq.heappop(self._timers)
            if self.engine.next_timer(user, self.users[user]) == due:
                effects += self.engine.on_time(user, self.users[user], due)
                self._set_timer(user)
        return effects

    def _set_timer(self, user: str) -> None:
        timer = self.engine.next_timer(user, self.users[user])
        if timer is not None:
            heapq.heappush(self._timers, (timer, user))

    # ----------------------------------------------------------------------------------------------------- common
    def _take(self, index: int, event: Event, state: UserState, watermark: int) -> list[Effect]:
        counters = self.engine.counters
        before = counters.get("duplicate")
        effects = self.engine.on_event(event.user_id, state, event, watermark)
        if counters.get("duplicate") != before:
            self._on_duplicate(index)
        return effects

    def _rank(self, record: Record) -> Rank:
        program = self.program.shadow if record.shadow and self.program.shadow else self.program
        activity = program.activities.get(record.activity)
        return (record.at, activity.first_priority if activity else 0, record.activity, record.user_id)


def _spend(asked: Iterable[Candidate | Refund], coupons: Coupons) -> Iterator[Record]:
    """The decisions on all candidates of a run, in the order in which dispatch would take them."""
    budgets: defaultdict[str, Budget] = defaultdict(Budget)
    written: dict[str, str] = {}
    for effect in sorted(asked, key=lambda effect: request_of(effect).order):
        settled = settle(budgets[budget_of(effect)], written, coupons, request_of(effect))
        if settled is not None:
            yield settled.record


def _as_told(events: Sequence[Event], count: int) -> list[int]:
    """The places of the first `count` events in their order, and between them those of the slots behind them, each
    before the first event that is as late."""
    slots = sorted(range(count, len(events)), key=lambda index: events[index].order, reverse=True)
    order: list[int] = []
    for index in range(count):
        while slots and events[slots[-1]].time <= events[index].time:
            order.append(slots.pop())
        order.append(index)
    return [*order, *reversed(slots)]
