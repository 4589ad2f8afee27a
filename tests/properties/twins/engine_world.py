"""Random rule sets and streams of a small world, and a job that is driven step by step.

The world: events `a`, `b`, `c` with a number `n` and a key `k`, a few users, times on a coarse grid so that instants
collide, durations of a few minutes so that within half an hour of events everything happens.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import strategies as st

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.play.expected_receipts import ExpectedReceipts
from kairos.engine.rule.model import RuleSet
from kairos.engine.settings import Settings
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, engine_of, rules

GRID = 500
LATENESS = 2_000
USERS = ("u1", "u1", "u1", "u2", "u3")
PROFILES = {
    "u1": {"phone": "1", "email": "e"},
    "u2": {"phone": "2", "timezone": "Asia/Kathmandu", "crowds": ["vip"]},
    "u3": {"email": "e", "crowds": ["vip"]},
}
TRIGGERS = (
    "{event: a}",
    "{event: b, where: n >= 2}",
    "{event: a, per: k}",
    "{count: a, times: 2, within: 5m}",
    "{count: b, times: 2, within: 5m, after_match: skip_past_last}",
    "{pattern: [{event: a}, {absent: b}], within: 2m}",
    "{per: k, pattern: [{event: a}, {absent: [b, c]}], within: 2m}",
    "{pattern: [{event: a, as: x}, {event: b, as: y, where: n > x.n}], within: 5m}",
    "{pattern: [{event: a}, {absent: c}, {event: b}], within: 5m, after_match: skip_to_next}",
    "{pattern: [{event: a, times: {min: 1}, as: x}, {event: c}], within: 3m, after_match: no_skip}",
    "{pattern: [{event: b, times: {min: 2}}, {absent: c}], within: 2m}",
    "{pattern: [{event: a}, {event: b, times: {min: 2}}, {absent: c, within: 1m}], within: 3m}",
    "{per: k, pattern: [{event: b, times: 2}, {absent: c}], within: 2m}",
    "{pattern: [{event: a}, {event: b}, {not_next: c}], within: 3m}",
    "{pattern: [{event: a}, {not_next: [b, c]}], within: 2m}",
    "{pattern: [{event: a}, {event: b, optional: true}, {event: c, optional: true}], within: 2m}",
    "{event: c, where: metric.bs >= 2}",
    "{event: c, where: prior.bs >= 2}",
    "{pattern: [{event: b, where: 'prior.bs == 0 and n > 1'}, {absent: [a, c]}], within: 2m}",
    "{event: a, where: 'event.time - prior.last >= 60000 or profile.level == 1'}",
    "{event: crowd.entered, where: crowd == 'often'}",
    "{pattern: [{event: b}, {event: crowd.left, as: left, where: crowd == 'often'}], within: 9m}",
)
SENDS = (
    "",
    "send: [{channel: sms, template: t}]",
    "send: [{channel: email, template: t}]",
    "send: [{channel: sms, template: t}, {channel: email, template: t}]",
    "send: [{channel: sms, template: t}, {channel: email, template: t, after: 90s}]",
    "send: [{channel: email, template: t}, {channel: sms, template: t, after: 90s, unless: read}]",
    "send: [{channel: console}, {channel: sms, template: t, after: 1m, unless: clicked}]",
)
LIMITS = (
    "once: occurrence",
    "once: ever",
    "once: 3m",
    "once: {per: n, in: 3m}",
    "send_window: {from: '12:02', to: '12:05'}",
    "caps: [m]",
    "caps: [m, n]",
    "caps: [m], counts_toward: []",
    "caps: [n], send_before: 4m",
    "quiet_hours: drop",
    "quiet_hours: ignore, caps: [m, n]",
)
AUDIENCES = (
    "",
    "",
    "",
    "",
    "in: [vip]",
    "not_in: [vip]",
    "where: metric.bs <= 1",
    "where: n != 2",
    "control_group: 50%",
)
GOALS = ("", "goal: {event: c, within: 5m, value: n}", "goal: {event: [b, c], within: 2m, where: n >= 2}")
POLICIES = (
    "timezone: UTC",
    "default_caps: [m]",
    "default_caps: [m]\nquiet_hours: {from: '12:02', to: '12:04'}",
    "quiet_hours: {from: '12:01', to: '12:04'}",
    "default_caps: [m, n]\nlists: {white: [u2], black: [u3]}",
    "default_caps: [n]\nquiet_hours: {from: '12:00', to: '12:02'}",
)
CAP_RULES = (
    "{max: 1, per: 2m}",
    "{max: 2, per: 4m}",
    "{max: 1, per: 3m, channel: sms}",
    "{max: 2, per: 1d, window: calendar}",
)
PATIENCE = ("", ", on_exceed: {retry_for: 4m}", ", on_exceed: {retry_for: 90s}", ", on_exceed: {retry_for: 10m}")
GROUPS = (
    "{}",
    "{collect: 90s}",
    "{collect: 2m, choose: 2}",
    "{per: 3m}",
    "{per: 3m, choose: 2, losers: retry}",
    "{collect: 90s, losers: retry}",
    "{collect: 90s, per: 4m, losers: retry, score: value - metric.bs, explore: 100%}",
    "{floor: 2, explore: 60%}",
)
METRICS = "bs: {count: b, window: 4m}\nlast: {last: event.time, of: [a, b, c], window: 9m}\n"
CROWDS = "vip: {members: redis}\noften: {where: metric.bs >= 2}\n"
STATUSES = ("sent", "delivered", "failed", "read", "clicked")


@st.composite
def rule_texts(
    draw: st.DrawFn,
    triggers: Sequence[str] = TRIGGERS,
    sends: Sequence[str] = SENDS,
    audiences: Sequence[str] = AUDIENCES,
) -> tuple[list[str], str]:
    """Activities and the policy, as text. In a third of all worlds some of the activities compete."""
    activities = []
    matched = draw(st.integers(0, 2)) == 0
    for name in ("one", "two", "three")[: draw(st.integers(1, 3))]:
        sent = draw(st.sampled_from(sends))
        competes = matched and sent and draw(st.integers(0, 3))
        parts = ["matching: g\nworth: {value: n, uplift: 1}"] if competes else []
        parts += [
            f"activity: {name}",
            f"priority: {draw(st.sampled_from((10, 50)))}",
            f"trigger: {draw(st.sampled_from(triggers))}",
            f"limits: {{{draw(st.sampled_from(LIMITS))}}}",
            f"audience: {{{draw(st.sampled_from(audiences))}}}",
            sent,
            draw(st.sampled_from(GOALS)),
        ]
        activities.append("\n".join(parts) + "\n")
    caps = [
        f"  {name}: {{rules: [{', '.join(draw(st.lists(st.sampled_from(CAP_RULES), min_size=1, max_size=2)))}]"
        f"{draw(st.sampled_from(PATIENCE))}}}"
        for name in "mn"
    ]
    group = f"matching: {{g: {draw(st.sampled_from(GROUPS))}}}\n" if matched else ""
    return activities, draw(st.sampled_from(POLICIES)) + "\ncaps:\n" + "\n".join(caps) + "\n" + group


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    activities, policy = draw(rule_texts())
    return rules(*activities, policy=policy, metrics=METRICS, crowds=CROWDS)


@st.composite
def streams(draw: st.DrawFn, receipts: bool = True, repeated: bool = True) -> list[Event]:
    """Events in order of time; `repeated`: a few come again, now or later, as a source repeats itself."""
    seconds = st.integers(0, 700) if draw(st.booleans()) else st.integers(0, 40)
    times = draw(st.lists(seconds, min_size=1, max_size=30))
    events = []
    for place, second in enumerate(sorted(times)):
        time, user = BASE + second * GRID, draw(st.sampled_from(USERS))
        if receipts and draw(st.integers(0, 5)) == 0:
            props = {"activity": draw(st.sampled_from(("one", "two"))), "status": draw(st.sampled_from(STATUSES))}
            events.append(Event("", "receipt", time, "", props, user))
            continue
        if repeated and events and events[-1].id and draw(st.integers(0, 9)) == 0:
            events.append(msgspec.structs.replace(events[-1], time=time))
            continue
        key = draw(st.sampled_from(("x", "y", ["x", "y"], None)))
        props = {"n": draw(st.integers(1, 3)), "k": key}
        merged = draw(st.integers(0, 5)) == 0
        events.append(Event(f"e{place}", draw(st.sampled_from("abc")), time, "", props, user, merged))
    return events


@st.composite
def disordered(draw: st.DrawFn, events: Sequence[Event]) -> list[Event]:
    """The events as they may arrive: none overtaken by one that is more than the lateness younger."""
    delays = draw(st.lists(st.integers(0, LATENESS), min_size=len(events), max_size=len(events)))
    order = sorted(range(len(events)), key=lambda i: (events[i].time + delays[i], i))
    return [events[i] for i in order]


@dataclass
class Job:
    """A job as Flink runs it: states by user, one armed timer each, a watermark that somebody moves.

    `snapshots`: every state is encoded and decoded again after each call.
    """

    engine: Engine
    snapshots: bool = False
    effects: list[Effect] = field(default_factory=list)
    watermark: int = 0
    states: dict[str, UserState] = field(default_factory=dict)
    timers: list[tuple[int, str]] = field(default_factory=list)
    armed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.codec = StateCodec(few=0)

    def take(self, event: Event) -> None:
        if not self.engine.reads(event.type):
            return
        state = self.states.setdefault(event.user_id, UserState())
        self.effects += self.engine.on_event(event.user_id, state, event, self.watermark)
        self._save(event.user_id, state)

    def advance(self, watermark: int) -> None:
        """Timers due fire in order, knowing the new watermark, as Flink's do; at the end each knows its own time."""
        self.watermark = max(self.watermark, watermark)
        while self.timers and self.timers[0][0] <= self.watermark:
            due, user = heapq.heappop(self.timers)
            if self.armed.get(user) == due:
                del self.armed[user]
            state = self.states.get(user)
            if state is not None:
                now = due if self.watermark == END_OF_TIME else self.watermark
                self.effects += self.engine.on_time(user, state, now)
                self._save(user, state)

    def _save(self, user: str, state: UserState) -> None:
        due = self.engine.next_timer(user, state)
        if due is not None and due < self.armed.get(user, END_OF_TIME):
            heapq.heappush(self.timers, (due, user))
            self.armed[user] = due
        if state.empty:
            self.states.pop(user, None)
        else:
            self.states[user] = self.codec.decode(self.codec.encode(state)) if self.snapshots else state

    def checkpoint(self) -> bytes:
        states = {user: self.codec.encode(state) for user, state in self.states.items()}
        return msgspec.msgpack.encode([self.watermark, states, self.timers, self.armed])

    def restore(self, checkpoint: bytes) -> None:
        self.watermark, states, timers, self.armed = msgspec.msgpack.decode(checkpoint)
        self.states = {user: self.codec.decode(state) for user, state in states.items()}
        self.timers = [(due, user) for due, user in timers]

    def decisions(self) -> list[Record]:
        return [e.record if isinstance(e, Candidate) else e for e in self.effects if isinstance(e, Record | Candidate)]


def job(rule_set: RuleSet, events: Iterable[Event], snapshots: bool = False) -> Job:
    settings = Settings(assume_delivered=True)
    return Job(engine_of(rule_set, PROFILES, settings, ExpectedReceipts(events)), snapshots)


def told(records: Iterable[Record]) -> list[str]:
    """Decisions as a sorted list: one multiset, whatever the order."""
    return sorted(msgspec.json.encode(record).decode() for record in records)


def lateness_after(events: Sequence[Event]) -> list[int]:
    """The highest watermark allowed after each event, for the lateness to hold."""
    highest = itertools.accumulate((event.time for event in events), max)
    return [time - LATENESS - 1 for time in highest]
