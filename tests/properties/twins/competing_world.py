"""Many activities that want the same few slots and units, and what becomes of each message, all from one number."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kairos.engine.event import Event
from kairos.engine.rule.model import Activity, RuleSet
from tests.engine_kit import BASE, MINUTE, rules
from tests.properties.twins.engine_world import AUDIENCES, CROWDS, GOALS, LATENESS, METRICS, TRIGGERS

SPAN = 40 * MINUTE
GRID = 500
SENDS = (
    "[{channel: sms, template: t}]",
    "[{channel: email, template: t}]",
    "[{channel: sms, template: t}, {channel: email, template: t}]",
    "[{channel: wechat, template: t}, {channel: sms, template: t, after: 90s}]",
    "[{channel: email, template: t}, {channel: sms, template: t, after: 2m, unless: read}]",
    "[{channel: webhook}, {channel: sms, template: t, after: 1m}, {channel: email, template: t}]",
)
LIMITS = (
    "caps: [day]",
    "caps: [texts]",
    "caps: [day, texts]",
    "caps: [day, often], once: 3m",
    "caps: [often, texts], quiet_hours: drop",
    "caps: [day], quiet_hours: ignore, send_before: 6m",
    "caps: [], once: ever",
)
POLICY = """
timezone: UTC
quiet_hours: {from: '12:06', to: '12:11'}
lists: {white: redis, black: redis}
caps:
  day: {rules: [{max: 3, per: 1d, window: calendar}, {max: 1, per: 2m}], on_exceed: {retry_for: 10m}}
  often: {rules: [{max: 2, per: 5m}], on_exceed: {retry_for: 4m}}
  texts: {rules: [{max: 1, per: 3m, channel: sms}, {max: 4, per: 20m}]}
"""
ZONES = ("UTC", "Asia/Kathmandu", "Asia/Kamchatka", "America/St_Johns")  # in Kamchatka midnight is at BASE
FATES = (
    *["sent delivered"] * 6,
    *["sent delivered read"] * 2,
    *["sent"] * 4,
    *["failed"] * 4,
    "sent failed",
    "unknown",
    "unknown delivered",
    "expired",
    "released",
    "",
)
COMMITTED = ("sent", "unknown")
Key = tuple[str, str, str, int]  # activity, user, occurrence, attempt


@dataclass(frozen=True)
class World:
    """`arrivals`: (when it arrives, event). `shadows`: versions on trial, by activity; `before`: those
    that users have who are not in a rollout."""

    rules: RuleSet
    profiles: Mapping[str, Mapping[str, Any]]
    arrivals: list[tuple[int, Event]]
    seed: int
    shadows: Mapping[str, Activity] = field(default_factory=dict)
    before: Mapping[str, Activity | None] = field(default_factory=dict)
    _fates: dict[Key, tuple[int, str]] = field(default_factory=dict)

    def fate(self, key: Key) -> tuple[int, str]:
        """How long after its decision (ms) a message is handed to its provider, and which receipts come of it."""
        if key not in self._fates:
            chance = random.Random(f"{self.seed}{key}")
            self._fates[key] = (chance.randrange(15_000, 60_000), chance.choice(FATES))
        return self._fates[key]


def world(seed: int, users: int, activities: int, events: int, late: float = 0) -> World:
    """`late`: the share of events that come up to ten minutes late; the others keep to the lateness."""
    chance = random.Random(seed)
    wishes = [_activity(chance, number, users) for number in range(activities)]
    rule_set = rules(*wishes, policy=POLICY, metrics=METRICS, crowds=CROWDS)
    profiles = {f"u{number}": _profile(chance) for number in range(users)}
    arrivals = []
    for number in range(events):
        event = _event(chance, number, f"u{chance.randrange(users)}")
        delay = chance.randrange(10 * MINUTE if chance.random() < late else LATENESS + 1)
        arrivals.append((event.time + delay, event))
    return World(rule_set, profiles, sorted(arrivals, key=lambda pair: pair[0]), seed)


def _activity(chance: random.Random, number: int, users: int) -> str:
    """Limits and audiences go round, so that a world of some size has them all, whatever the seed."""
    budget = f", budget: {{sends: {chance.randint(1, max(2, users // 4))}}}" if number % 3 == 0 else ""
    return "\n".join((
        f"activity: w{number}",
        f"priority: {chance.choice((10, 50, 90))}",
        f"trigger: {chance.choice(TRIGGERS)}",
        f"limits: {{{LIMITS[number % len(LIMITS)]}{budget}}}",
        f"audience: {{{AUDIENCES[number % len(AUDIENCES)]}}}",
        f"send: {chance.choice(SENDS)}",
        chance.choice(GOALS),
        "",
    ))  # fmt: skip


def _profile(chance: random.Random) -> dict[str, Any]:
    profile: dict[str, Any] = {"email": "e@example.com", "timezone": chance.choice(ZONES)}
    if chance.random() < 0.8:
        profile["phone"] = "13800000000"
    if chance.random() < 0.6:
        profile["wechat_openid"] = "w"
    if chance.random() < 0.3:
        profile["crowds"] = ["vip"]
    if chance.random() < 0.1:
        profile["unsubscribed"] = ["sms"]
    if chance.random() < 0.1:
        profile["lists"] = [chance.choice(("white", "black"))]
    return profile


def _event(chance: random.Random, number: int, user: str) -> Event:
    time = BASE - SPAN // 2 + chance.randrange(SPAN // GRID) * GRID
    props = {"n": chance.randint(1, 3), "k": chance.choice(("x", "y", ["x", "y"], None))}
    return Event(f"e{number}", chance.choice("aabbc"), time, "", props, user)
