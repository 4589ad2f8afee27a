"""A small world of competition: 20 activities want 1,000 users, and what must come of it, by the engine alone.

Everything happens in short bursts at multiples of ten minutes, and so do deadlines, holds and receipts: a run on real
servers can go from burst to burst, and wait in between until what the budgets refused has come back.
"""

from __future__ import annotations

import heapq
import itertools
import random
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kairos.adapters.delivery.tables import delivery_key
from kairos.engine.coupon.pools import Pools
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Effect, Recall, Refund
from kairos.engine.event import RECEIPT, Event
from kairos.engine.gate.budget import Budget, give_back, spend
from kairos.engine.user.state import UserState
from tests.engine_kit import MINUTE, engine_of, rules

START = int(datetime(2026, 3, 2, 13, tzinfo=UTC).timestamp() * 1000)
"""Nine in the evening in Shanghai: an hour before the night."""
BURSTS = (0, 10, 670)
"""Minutes after START: two in the evening, and one at ten past eight in the morning."""
USERS = 1_000

TRIGGERS = (
    "{event: a}",
    "{event: b, where: n >= 2}",
    "{count: a, times: 2, within: 30m}",
    "{pattern: [{event: c}, {absent: b}], within: 20m}",
    "{per: k, pattern: [{event: b}, {event: c}], within: 40m}",
)
LIMITS = (
    "{caps: [marketing]}",
    "{caps: [marketing, text_messages], budget: {sends: 130}}",
    "{caps: [patient]}",
    "{caps: [patient, text_messages], quiet_hours: drop, once: 1h, budget: {sends: 90}}",
)
SENDS = (
    "[{channel: sms, template: hello}, {channel: email, template: hello}]",
    "[{channel: email, template: hello}, {channel: sms, template: hello, after: 20m}]",
    "[{channel: wechat, template: hello}, {channel: sms, template: hello, after: 10m, unless: read},"
    " {channel: webhook}]",
)
FATES = (*["failed"] * 4, *["unknown"] * 2, "", *["sent"] * 5, *["sent delivered"] * 8)
POLICY = """
    timezone: Asia/Shanghai
    quiet_hours: {from: "22:00", to: "08:00"}
    lists: {white: redis, black: redis}
    caps:
      marketing: {rules: [{max: 2, per: 1h}, {max: 4, per: 1d, window: calendar}]}
      text_messages: {rules: [{max: 1, per: 30m, channel: sms}]}
      patient: {rules: [{max: 1, per: 20m}, {max: 3, per: 1d, window: calendar}], on_exceed: {retry_for: 2h}}
"""


def activity(number: int) -> str:
    return textwrap.dedent(f"""\
        activity: wish{number:02}
        state: live
        priority: {number * 37 % 100}
        trigger: {TRIGGERS[number % 5]}
        limits: {LIMITS[number // 5]}
        audience: {{control_group: {10 * (number % 4 == 0)}%}}
        send: {SENDS[number % 3]}
    """)


def write_rules(folder: Path) -> Path:
    for name, text in _files().items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def _files() -> dict[str, str]:
    templates = {f"templates/hello.{channel}.liquid": "hello\n" for channel in ("sms", "email", "wechat")}
    wishes = {f"activities/competing/wish{number:02}.yaml": activity(number) for number in range(20)}
    return {"policy.yaml": textwrap.dedent(POLICY), **templates, **wishes}


def profiles() -> dict[str, dict[str, Any]]:
    """Zones, missing addresses, both lists, and those who want no text messages."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(USERS):
        profile: dict[str, Any] = {"email": f"{number}@example.com", "wechat_openid": f"w{number}"}
        if number % 3:
            profile["timezone"] = ("Europe/Berlin", "America/New_York")[number % 2]
        if number % 11:
            profile["phone"] = f"138{number:08}"
        if number % 13 == 0:
            profile["unsubscribed"] = ["sms"]
        if number % 17 < 2:
            profile["lists"] = [("white", "black")[number % 17]]
        found[user(number)] = profile
    return found


def user(number: int) -> str:
    return f"rival{number:04}"


def events(seed: int) -> list[Event]:
    """Four a user, within the first five seconds of a burst each."""
    chance = random.Random(seed)
    found = []
    for number in range(4 * USERS):
        time = START + chance.choice(BURSTS) * MINUTE + chance.randrange(5_000)
        props = {"n": chance.randint(1, 3), "k": chance.choice("xy")}
        found.append(Event(f"e{number}", chance.choice("aabbc"), time, "shop", props, user(number % USERS)))
    return found


def receipts_of(attempt: Delivery | Recall) -> list[Event]:
    """What becomes of it, by its key alone: the first receipt ten minutes after it, the next ten after that."""
    key = delivery_key(attempt.activity, attempt.user_id, attempt.occurrence, attempt.attempt)
    statuses = FATES[int(key, 16) % len(FATES)].split()
    if isinstance(attempt, Recall):
        statuses = ["too_late" if statuses else "recalled"]
    return [receipt_of(attempt, status, place * 10 * MINUTE) for place, status in enumerate(statuses, 1)]


def receipt_of(send: Delivery | Recall | Record, status: str, after: int) -> Event:
    props = {"activity": send.activity, "occurrence": send.occurrence, "status": status}
    if not isinstance(send, Record):
        props |= {"attempt": send.attempt, "channel": send.channel}
    return Event("", RECEIPT, send.at + after, "", props, send.user_id)


@dataclass
class Reference:
    """The engine without Flink: instant by instant, one state a user, one budget an activity.

    `receipts`: those of workers, as they came to be; `refused`: the budget's refusals, (time, activity, user,
    occurrence).
    """

    records: list[Record] = field(default_factory=list)
    receipts: list[Event] = field(default_factory=list)
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        wishes = [activity(number) for number in range(20)]
        templates = {f"hello.{channel}": "hello" for channel in ("sms", "email", "wechat")}
        rule_set = rules(*wishes, templates=templates, policy=textwrap.dedent(POLICY))
        self._engine = engine_of(rule_set, profiles())
        self._states: defaultdict[str, UserState] = defaultdict(UserState)
        self._budgets: defaultdict[str, Budget] = defaultdict(Budget)
        self._coming: list[tuple[int, int, Event]] = []
        self._numbers = itertools.count()
        self._refusals: set[str] = set()
        self._timers: list[tuple[int, str]] = []

    def run(self, given: Iterable[Event]) -> None:
        for event in given:
            self._expect(event)
        while self._coming or self._timers:
            now = min(heap[0][0] for heap in (self._coming, self._timers) if heap)
            self._instant(now)

    def _expect(self, event: Event) -> None:
        heapq.heappush(self._coming, (event.time, next(self._numbers), event))

    def _instant(self, now: int) -> None:
        effects: list[Effect] = []
        touched = set()
        while self._coming and self._coming[0][0] == now:
            event = heapq.heappop(self._coming)[2]
            effects += self._engine.on_event(event.user_id, self._states[event.user_id], event, now - 1)
            touched.add(event.user_id)
        while self._timers and self._timers[0][0] <= now:
            touched.add(heapq.heappop(self._timers)[1])
        for name in sorted(touched):
            effects += self._engine.on_time(name, self._states[name], now)
            due = self._engine.next_timer(name, self._states[name])
            if due is not None:
                heapq.heappush(self._timers, (due, name))
        self._settle(effects)

    def _settle(self, effects: Sequence[Effect]) -> None:
        candidates = [effect for effect in effects if isinstance(effect, Candidate)]
        self.records += [effect for effect in effects if isinstance(effect, Record)]
        for candidate in sorted(candidates, key=lambda one: (one.record.at, one.record.user_id, one.record.occurrence)):
            self._dispatch(candidate)
        for effect in effects:
            if isinstance(effect, Recall):
                self._answer(effect)
            elif isinstance(effect, Refund) and effect.occurrence not in self._refusals:
                give_back(self._budgets[effect.activity], 1, Pools({}), ())

    def _dispatch(self, candidate: Candidate) -> None:
        # no schedule and no coupons here
        settled = spend(self._budgets[candidate.record.activity], {}, Pools({}), candidate)
        record, delivery = settled.record, settled.delivery
        self.records.append(record)
        if delivery is not None:
            self._answer(delivery)
            return
        self._refusals.add(record.occurrence)
        self.refused.append((record.at, record.activity, record.user_id, record.occurrence))
        self._expect(receipt_of(record, "released", 0))

    def _answer(self, attempt: Delivery | Recall) -> None:
        for receipt in receipts_of(attempt):
            self.receipts.append(receipt)
            self._expect(receipt)


def as_json(event: Event) -> dict[str, Any]:
    """As it stands in its topic."""
    found = {name: getattr(event, name) for name in event.__struct_fields__}
    return {name: value for name, value in found.items() if value != ""}
