"""A job of several tasks and what is around it: users spread over tasks, one dispatch, workers, a topic of receipts.

What is outside survives a crash: what was decided has been read by others, messages have gone, receipts lie in their
topic. Inside is what a checkpoint holds.
"""

from __future__ import annotations

import heapq
import itertools
import random
import zlib
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from kairos.engine.coupon.pools import Pools
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Effect, Recall, Refund
from kairos.engine.event import RECEIPT, Event
from kairos.engine.gate.budget import Budget, budget_of, give_back, spend
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import HOUR, engine_of
from tests.properties.twins.competing_world import Key, World
from tests.properties.twins.engine_world import LATENESS

STEPS = (250, 1_000, 2_500)
LAGS = (0, 400, 1_500)  # how far (ms) a task's watermark stays behind the others'
ON_ITS_WAY = 10_000  # ms
NEVER = 2**62


@dataclass
class Outside:
    """Decisions as they were read, messages as workers took them (the first of a key wins), receipts as they lie there.

    A receipt becomes readable at its time, a refusal of the budget as soon as it is written.
    """

    world: World
    decisions: list[Record] = field(default_factory=list)
    ledger: dict[Key, Delivery] = field(default_factory=dict)
    recalls: dict[Key, int] = field(default_factory=dict)
    topic: list[tuple[int, int, Event]] = field(default_factory=list)  # (readable from, number, receipt), in order
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def send(self, delivery: Delivery, now: int) -> None:
        """`now`: what readers have read up to."""
        key = (delivery.activity, delivery.user_id, delivery.occurrence, delivery.attempt)
        if key not in self.ledger:
            self.ledger[key] = delivery
            self._announce(key, now)
        elif not self.was_recalled(key):  # seen again after a restore: its first receipt is sent again
            self._write(now, *(receipt for receipt in self._receipts(key)[:1] if receipt.time <= now))

    def recall(self, recall: Recall, now: int) -> None:
        """It may overtake its delivery, which comes by way of dispatch.

        One because of a late event is as old as what the user did last: then the clock says when it was heard of.
        """
        key = (recall.activity, recall.user_id, recall.occurrence, recall.attempt)
        if key in self.recalls:
            return
        planned = self._receipts(key) if key in self.ledger else []
        self.topic = [written for written in self.topic if written[2] not in planned]
        self.recalls[key] = recall.at if now < recall.at + ON_ITS_WAY else now
        if key in self.ledger:
            self._announce(key, now)

    def was_recalled(self, key: Key) -> bool:
        """A recall takes a while to get there, however fast the job is."""
        return key in self.recalls and self.recalls[key] + ON_ITS_WAY < self.ledger[key].at + self.world.fate(key)[0]

    def refuse(self, record: Record, now: int) -> None:
        props = {"activity": record.activity, "occurrence": record.occurrence, "status": "released"}
        props |= {"shadow": True} if record.shadow else {}
        self._write(now, Event("", RECEIPT, record.at, "", props, record.user_id))

    def read(self, after: int, until: int) -> list[Event]:
        return [receipt for _, _, receipt in self.topic[self._place(after) : self._place(until)]]

    def next_receipt(self, after: int) -> int:
        return next((time for time, _, _ in self.topic[self._place(after) :][:1]), NEVER)

    def _place(self, time: int) -> int:
        return bisect_right(self.topic, time, key=lambda written: written[0])

    def _write(self, now: int, *receipts: Event) -> None:
        for receipt in receipts:
            insort(self.topic, (max(now + 1, receipt.time), next(self._numbers), receipt))

    def _announce(self, key: Key, now: int) -> None:
        self._write(now, *self._receipts(key))
        if key in self.recalls:
            answer = "recalled" if self.was_recalled(key) else "too_late"
            self._write(now, self._receipt(key, answer, max(self.recalls[key], self.ledger[key].at) + ON_ITS_WAY))

    def _receipts(self, key: Key) -> list[Event]:
        """Those that come of the message itself."""
        if self.was_recalled(key):
            return []
        delay, fate = self.world.fate(key)
        first = self.ledger[key].at + delay
        return [self._receipt(key, status, first + place * 40_000) for place, status in enumerate(fate.split())]

    def _receipt(self, key: Key, status: str, time: int) -> Event:
        activity, user, occurrence, attempt = key
        props = {"activity": activity, "occurrence": occurrence, "attempt": attempt, "status": status}
        props |= {"channel": self.ledger[key].channel} | ({"reason": "quiet_hours"} if status == "released" else {})
        return Event("", RECEIPT, time, "", props, user)


class Task:
    """One task of evaluate: an engine, the states of its users, their timers."""

    def __init__(self, world: World) -> None:
        self.engine = engine_of(world.rules, world.profiles, shadows=world.shadows, before=world.before)
        self.states: dict[str, UserState] = {}
        self.timers: list[tuple[int, str]] = []
        self.watermark = 0

    def take(self, event: Event) -> list[Effect]:
        if not self.engine.reads(event.type):
            return []
        state = self.states.setdefault(event.user_id, UserState())
        effects = self.engine.on_event(event.user_id, state, event, self.watermark)
        self.arm(event.user_id)
        return effects

    def advance(self, watermark: int) -> list[Effect]:
        self.watermark = max(self.watermark, watermark)
        effects: list[Effect] = []
        while self.timers and self.timers[0][0] <= self.watermark:
            _, user = heapq.heappop(self.timers)
            effects += self.engine.on_time(user, self.states[user], self.watermark)
            self.arm(user)
        return effects

    def arm(self, user: str) -> None:
        due = self.engine.next_timer(user, self.states[user])
        if due is not None:
            heapq.heappush(self.timers, (due, user))


class CompetingJob:
    """`clock` is what the sources have been read up to; all of it and of `tasks` and dispatch is in a checkpoint."""

    def __init__(self, world: World, tasks: int, seed: int = 0) -> None:
        self.world = world
        self.outside = Outside(world)
        self.tasks = [Task(world) for _ in range(tasks)]
        self.clock = world.arrivals[0][0] - 1
        self.budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self.waiting: list[Candidate | Refund] = []
        self.refused: set[tuple[str, str]] = set()
        self._chance = random.Random(seed)
        self._codec = StateCodec(few=0)

    def run(self, until: int = NEVER) -> CompetingJob:
        """To the end of everything, or of the step that reaches `until`."""
        while self.clock < until and (now := self._next_step()) < NEVER:
            self._step(now)
        return self

    def checkpoint(self) -> bytes:
        states = {user: self._codec.encode(state) for task in self.tasks for user, state in task.states.items()}
        marks = min(task.watermark for task in self.tasks)
        return msgspec.msgpack.encode([
            self.clock, states, marks, self.budgets, self.refused,
            [c for c in self.waiting if isinstance(c, Candidate)], [c for c in self.waiting if isinstance(c, Refund)],
        ])  # fmt: skip

    def restore(self, checkpoint: bytes, tasks: int) -> None:
        """In new processes, as many as `tasks`; the outside is as it is by now."""
        kinds = tuple[
            int, dict[str, bytes], int, dict[str, Budget], set[tuple[str, str]], list[Candidate], list[Refund]
        ]
        parts = msgspec.msgpack.decode(checkpoint, type=kinds)
        self.clock, states, watermark, budgets, self.refused, candidates, refunds = parts
        self.budgets = defaultdict(Budget, budgets)
        self.waiting = [*candidates, *refunds]
        self.tasks = [Task(self.world) for _ in range(tasks)]
        for user, state in states.items():
            task = self._task_of(user)
            task.watermark = watermark
            task.states[user] = self._codec.decode(state)
            task.arm(user)

    # ------------------------------------------------------------------------------------------------------- details
    def _task_of(self, user: str) -> Task:
        return self.tasks[zlib.crc32(user.encode()) % len(self.tasks)]

    def _arrivals(self, after: int, until: int) -> list[tuple[int, Event]]:
        first, end = (bisect_right(self.world.arrivals, time, key=lambda pair: pair[0]) for time in (after, until))
        return self.world.arrivals[first:end]

    def _next_step(self) -> int:
        """A little later; where nothing happens for long, at once when something does. NEVER: all is over."""
        last = self.world.arrivals[-1][0] + 6 * HOUR  # by then only housekeeping is left
        coming = [self.outside.next_receipt(self.clock)]
        coming += [task.timers[0][0] for task in self.tasks if task.timers]
        coming += [arrival for arrival, _ in self._arrivals(self.clock, NEVER)[:1]]
        coming += [_order(request)[0] for request in self.waiting]
        soon = min(coming)
        return NEVER if soon > last else max(self.clock + self._chance.choice(STEPS), soon + LATENESS + 1)

    def _step(self, now: int) -> None:
        given = [event for _, event in self._arrivals(self.clock, now)]
        given += self.outside.read(self.clock, now)
        self.clock = now
        effects: list[Effect] = []
        for event in given:
            effects += self._task_of(event.user_id).take(event)
        for task in self._chance.sample(self.tasks, len(self.tasks)):
            effects += task.advance(now - LATENESS - 1 - self._chance.choice(LAGS))
        self._carry_out(effects)
        self._dispatch(min(task.watermark for task in self.tasks))

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Record):
                self.outside.decisions.append(effect)
            elif isinstance(effect, Candidate | Refund):
                self.waiting.append(effect)
            elif isinstance(effect, Recall):
                self.outside.recall(effect, self.clock)

    def _dispatch(self, watermark: int) -> None:
        """As operators/dispatch.py: units are spent in the order of time, and given back after those of an instant."""
        due = [request for request in self.waiting if _order(request)[0] <= watermark]
        self.waiting = [request for request in self.waiting if _order(request)[0] > watermark]
        for request in sorted(due, key=_order):
            if isinstance(request, Candidate):
                self._spend(request)
            elif (budget_of(request), request.occurrence) not in self.refused:
                give_back(self.budgets[request.activity], 1, Pools({}), ())

    def _spend(self, candidate: Candidate) -> None:
        owner = budget_of(candidate)
        if candidate.delivery.attempt > 1 and (owner, candidate.record.occurrence) in self.refused:
            return
        # no schedule and no coupons here
        settled = spend(self.budgets[owner], {}, Pools({}), candidate)
        record, delivery = settled.record, settled.delivery
        self.outside.decisions.append(record)
        if delivery is not None:
            self.outside.send(delivery, self.clock)
        if settled.refused:
            self.refused.add((owner, record.occurrence))
            self.outside.refuse(record, self.clock)


def _order(request: Candidate | Refund) -> tuple[int, bool, str, str]:
    if isinstance(request, Candidate):
        return (request.record.at, False, request.record.user_id, request.record.occurrence)
    return (request.at, True, request.user_id, request.occurrence)
