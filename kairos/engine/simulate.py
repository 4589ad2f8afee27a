"""The engine over a list of events: time is theirs, and runs on to the end of the last timer."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect, Refund
from kairos.engine.engine import Engine
from kairos.engine.event import RECEIPT, Event
from kairos.engine.expected_receipts import ExpectedReceipts
from kairos.engine.gate.budget import Budget, dispatch, refund
from kairos.engine.moment import Observer, Settings
from kairos.engine.rule.compile import Plan, compile_release
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.user_state import Case, UserState

END_OF_TIME = 2**62
UserProfiles = Mapping[str, Mapping[str, Any]]
Rank = tuple[int, int, str, str]


def as_if_live(rules: RuleSet) -> RuleSet:
    """Drafts and activities on their way to approval run like live ones in test, simulate and explain."""
    rehearsed = {
        name: msgspec.structs.replace(a, state="live") if a.state in ("draft", "submitted", "approved") else a
        for name, a in rules.activities.items()
    }
    return msgspec.structs.replace(rules, activities=rehearsed)


class Simulation:
    """One run. `profiles` None: every channel counts as reachable.

    `on_duplicate` is told the index of each event dropped as a repetition. `engine` may be inspected afterwards
    (counters), `users` as well.
    """

    def __init__(
        self,
        rules: RuleSet,
        profiles: UserProfiles | None = None,
        settings: Settings | None = None,
        observer: Observer | None = None,
        on_duplicate: Callable[[int], None] | None = None,
    ) -> None:
        self.settings = settings or Settings(assume_delivered=True)
        self.engine = Engine(self.settings, None if profiles is None else profiles.get)
        release = Release(1, as_if_live(rules))
        self.engine.adopt(compile_release(release, max_runs=self.settings.max_runs, script=self.engine.script))
        self.engine.moment.observer = observer
        self.receipts = self.engine.moment.awaits_receipt = ExpectedReceipts()
        self.plan: Plan = self.engine.plan
        self.users: dict[str, UserState] = {}
        self.budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self._on_duplicate = on_duplicate or (lambda _index: None)
        self._timers: list[tuple[int, str]] = []

    def run(self, events: Sequence[Event]) -> Iterator[Record]:
        """Decisions in record order; the events are sorted by (time, source, id) first."""
        self.receipts.add(events)
        self.engine.moment.regret_for = 0  # in a sorted file nothing is late
        times = [event.time for event in events]
        order = sorted(range(len(events)), key=times.__getitem__)
        by_type, users, timers = self.plan.by_type, self.users, self._timers
        records: list[Record] = []
        place, count, now = 0, len(order), 0
        while place < count or timers:
            time = times[order[place]] if place < count else END_OF_TIME
            instant = max(now, min(time, timers[0][0] if timers else END_OF_TIME))
            if instant != now and records:
                yield from sorted(records, key=self._rank)
                records = []
            now = instant
            touched: dict[str, list[Event]] = {}
            receipts: list[Event] = []
            while timers and timers[0][0] <= instant:
                due, user = heapq.heappop(timers)
                if users[user].due == due:
                    touched[user] = []
            first = place
            while place < count and times[order[place]] == instant:
                place += 1
            batch = order[first:place]
            if len(batch) > 1:
                batch.sort(key=lambda index: events[index].order)
            for index in batch:
                event = events[index]
                if event.type == RECEIPT:
                    receipts.append(event)
                elif event.type in by_type:
                    self._admit(event, index, touched)
            if touched:
                self._instant(instant, touched, records)
            for receipt in receipts:
                self._receipt(receipt, instant, records)
        yield from sorted(records, key=self._rank)

    def run_as_arrived(self, events: Sequence[Event]) -> Iterator[Record]:
        """As the live job sees it: in file order, with the lateness; what comes later than that is late."""
        self.receipts.add(events)
        records: list[Record] = []
        candidates: list[Candidate] = []
        watermark = 0
        for index, event in enumerate(events):
            watermark = max(watermark, event.time - self.settings.lateness - 1)
            self._fire(watermark, records, candidates)
            if event.type not in self.plan.by_type and event.type != RECEIPT:
                continue
            state = self._state(event.user_id)
            before = self.engine.counters["duplicate"]
            effects = self.engine.on_event(event.user_id, state, event, watermark)
            if self.engine.counters["duplicate"] != before:
                self._on_duplicate(index)
            self._collect(effects, records, candidates)
            self._set_timer(event.user_id, state)
        self._fire(END_OF_TIME, records, candidates)
        for candidate in sorted(candidates, key=lambda c: (c.record.at, c.record.user_id, c.record.occurrence)):
            records.append(dispatch(self.budgets[candidate.record.activity], candidate)[0])
        yield from sorted(records, key=self._rank)

    # ----------------------------------------------------------------------------------------- sorted: by instants
    def _admit(self, event: Event, index: int, touched: dict[str, list[Event]]) -> None:
        if self.engine.is_repeated(self._state(event.user_id), event):
            self._on_duplicate(index)
        elif event.user_id in touched:
            touched[event.user_id].append(event)
        else:
            touched[event.user_id] = [event]

    def _instant(self, now: int, touched: dict[str, list[Event]], records: list[Record]) -> None:
        engine, users = self.engine, self.users
        cases: list[tuple[str, Case]] = []
        for user, events in touched.items():
            for case in engine.advance(user, users[user], now, events):
                cases.append((user, case))
            if engine.moment.effects:
                self._settle(engine.take_effects(), records)
        if len(cases) > 1:
            cases.sort(key=lambda pair: (*engine.rank(pair[1])[:2], pair[0], *engine.rank(pair[1])[2:]))
        for user, case in cases:
            self._decide(user, case, now, records)
        for user in touched:
            engine.finish(users[user], now)
            self._remember(user)

    def _decide(self, user: str, case: Case, now: int, records: list[Record]) -> None:
        for effect in self.engine.decide(user, self.users[user], case, now):
            if isinstance(effect, Candidate):
                record, delivery = dispatch(self.budgets[effect.record.activity], effect)
                records.append(record)
                if delivery is None:
                    self.engine.refuse_budget(user, self.users[user], case)
            else:
                self._settle([effect], records)

    def _receipt(self, receipt: Event, now: int, records: list[Record]) -> None:
        state = self._state(receipt.user_id)
        self.engine.on_receipt(receipt.user_id, state, receipt)
        self._settle(self.engine.take_effects(), records)
        self._remember(receipt.user_id)

    def _settle(self, effects: list[Effect], records: list[Record]) -> None:
        for effect in effects:
            if isinstance(effect, Record):
                records.append(effect)
            elif isinstance(effect, Refund):
                refund(self.budgets[effect.activity])

    def _remember(self, user: str) -> None:
        due = self.users[user].due
        if due:
            heapq.heappush(self._timers, (due, user))

    # ------------------------------------------------------------------------------------------- as arrived: by timers
    def _fire(self, watermark: int, records: list[Record], candidates: list[Candidate]) -> None:
        while self._timers and self._timers[0][0] <= watermark:
            due, user = heapq.heappop(self._timers)
            state = self.users[user]
            if self.engine.next_timer(state) == due:
                self._collect(self.engine.on_time(user, state, due), records, candidates)
                self._set_timer(user, state)

    def _set_timer(self, user: str, state: UserState) -> None:
        timer = self.engine.next_timer(state)
        if timer is not None:
            heapq.heappush(self._timers, (timer, user))

    def _collect(self, effects: list[Effect], records: list[Record], candidates: list[Candidate]) -> None:
        for effect in effects:
            if isinstance(effect, Candidate):
                candidates.append(effect)
            else:
                self._settle([effect], records)

    # ----------------------------------------------------------------------------------------------------- common
    def _state(self, user: str) -> UserState:
        state = self.users.get(user)
        if state is None:
            state = self.users[user] = UserState()
        return state

    def _rank(self, record: Record) -> Rank:
        activity = self.plan.activities.get(record.activity)
        return (record.at, activity.first_priority if activity else 0, record.activity, record.user_id)
