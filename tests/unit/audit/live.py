"""A small world, live: the engine decides, a simple sender sends, receipts go back, and it is all written down."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from kairos.engine.coupon.pools import Pools
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Refund
from kairos.engine.event import RECEIPT, Event
from kairos.engine.gate.budget import Budget, give_back, spend
from kairos.engine.rule.model import RuleSet
from tests.engine_kit import BASE, engine_of, rules
from tests.properties.twins.engine_world import PROFILES, Job
from tests.unit.audit.story import Story

NO_CODES = Pools({})
OUTCOMES = {
    "sent": ("retry", "accepted"),
    "unknown": ("unknown",),
    "failed": ("rejected",),
    "expired": (),
    "released": (),
}


class Live:
    """Time goes from one event, receipt or timer to the next. `story` is what is written down meanwhile."""

    def __init__(self, rule_set: RuleSet, events: Iterable[Event], chance: Random) -> None:
        self.story = Story(rule_set, profiles=dict(PROFILES))
        self._chance = chance
        self._job = Job(engine_of(rule_set, PROFILES))
        self._refused: set[str] = set()
        self._budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self._order = itertools.count()
        self._coming = [(event.time, next(self._order), event) for event in events]
        heapq.heapify(self._coming)

    def run(self) -> Story:
        while self._coming or self._job.timers:
            due = self._job.timers[0][0] if self._job.timers else None
            if self._coming and (due is None or self._coming[0][0] <= due):
                time, _, event = heapq.heappop(self._coming)
                self._job.take(event)
                self._job.advance(time)
            else:
                self._job.advance(due or 0)
            self._settle()
        return self.story

    def _settle(self) -> None:
        effects, self._job.effects = self._job.effects, []
        for effect in effects:
            if isinstance(effect, Record):
                self._write(effect)
            elif isinstance(effect, Refund):
                give_back(self._budgets[effect.activity], 1, NO_CODES, ())
        candidates = (effect for effect in effects if isinstance(effect, Candidate))
        for candidate in sorted(candidates, key=lambda c: (c.record.at, c.record.user_id, c.record.occurrence)):
            if candidate.record.occurrence in self._refused:
                continue  # a fallback of a send that never was
            settled = spend(
                self._budgets[candidate.record.activity], {}, NO_CODES, candidate
            )  # no schedule here, so no address is written to once a run
            record, delivery = settled.record, settled.delivery
            self._write(record)
            if delivery is None:
                self._refused.add(record.occurrence)
                self._answer(candidate.delivery, "released", record.at)
            else:
                self._send(delivery)

    def _write(self, record: Record) -> None:
        self.story.decisions.append(msgspec.to_builtins(record))

    def _send(self, delivery: Delivery) -> None:
        """At once, or else it is over: too late, or handed back because quiet hours have begun."""
        state = self._chance.choice(("sent", "sent", "unknown", "failed", "late"))
        if state == "late":
            state = "released" if delivery.cut else "expired"
        self.story.row(state, *OUTCOMES[state])
        for call in self.story.calls[len(self.story.calls) - len(OUTCOMES[state]) :]:
            call["started_at"] = call["ended_at"] = delivery.at
        after = (
            delivery.send_before + 1
            if state in ("expired", "released")
            else delivery.at + self._chance.choice((0, 1, 90_000))
        )
        self._answer(delivery, state, after, **({"reason": "quiet_hours"} if state == "released" else {}))

    def _answer(self, delivery: Delivery, status: str, at: int, **more: Any) -> None:
        named = {name: getattr(delivery, name) for name in ("activity", "occurrence", "attempt", "channel")}
        receipt = Event("", RECEIPT, at, "", {**named, "status": status, **more}, delivery.user_id)
        heapq.heappush(self._coming, (at, next(self._order), receipt))


BUSY_ACTIVITIES = (
    "activity: one\npriority: 60\ntrigger: {event: a}\nlimits: {caps: [m, n]}\n",
    "activity: two\ntrigger: {event: b}\nlimits: {caps: [m, n], send_before: 4m}\n",
    "activity: few\ntrigger: {event: a}\nlimits: {caps: [m], budget: {sends: 5}}\n",
)
BUSY_SENDS = "send: [{channel: sms, template: t}, {channel: email, template: t, after: 90s, unless: read}]\n"
BUSY_POLICY = """
quiet_hours: {from: '12:10', to: '12:14'}
caps:
  m: {rules: [{max: 4, per: 4m}], on_exceed: {retry_for: 4m}}
  n: {rules: [{max: 2, per: 3m, channel: sms}, {max: 40, per: 1d, window: calendar}]}
"""


def busy_world(chance: Random) -> Story:
    """Three users, who do something every few seconds for half an hour."""
    rule_set = rules(*(text + BUSY_SENDS for text in BUSY_ACTIVITIES), policy=BUSY_POLICY)
    times = sorted(chance.randrange(30 * 60_000) for _ in range(200))
    events = [
        Event(f"e{n}", chance.choice("ab"), BASE + time, "", {"n": 2, "k": "x"}, chance.choice(("u1", "u3")))
        for n, time in enumerate(times)
    ]
    return Live(rule_set, events, chance).run()
