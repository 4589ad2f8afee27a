"""What must not be: counted over everything that went, slowly and from nothing but rules, profiles and messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.effect import Delivery
from kairos.engine.policy.spec import Cap, CapRule
from tests.properties.twins.competing_job import Outside
from tests.properties.twins.competing_world import COMMITTED, World

AWAKE = ("webhook",)  # of the channels of this world, those that wake nobody


def committed(outside: Outside) -> list[Delivery]:
    """The messages that went, or may have."""
    return [
        delivery
        for key, delivery in outside.ledger.items()
        if outside.world.fate(key)[1].startswith(COMMITTED) and not outside.was_recalled(key)
    ]


def complaints(outside: Outside) -> list[str]:
    world, gone = outside.world, committed(outside)
    by_user: defaultdict[str, list[Delivery]] = defaultdict(list)
    for delivery in gone:
        by_user[delivery.user_id].append(delivery)
    found = list(_budgets(world, gone))
    for user, sends in by_user.items():
        profile = world.profiles[user]
        if "white" not in profile.get("lists", ()):
            found += _caps(world, profile, sends)
    for delivery in outside.ledger.values():
        found += _night(world, delivery)
    return found


def _budgets(world: World, gone: list[Delivery]) -> Iterator[str]:
    for name, activity in world.rules.activities.items():
        spent = {delivery.occurrence for delivery in gone if delivery.activity == name}
        if activity.limits.budget is not None and len(spent) > activity.limits.budget:
            yield f"{name}: {len(spent)} sends of {activity.limits.budget}"


def _caps(world: World, profile: Any, sends: list[Delivery]) -> Iterator[str]:
    """Every window that ends with a send; those who count toward a cap are those who ask it."""
    for cap in world.rules.policy.caps.values():
        counted = [send for send in sends if cap.name in world.rules.activities[send.activity].limits.caps]
        for rule in cap.rules:
            mine = [send for send in counted if rule.channel in (None, send.channel)]
            for last in mine:
                inside = {send.occurrence for send in mine if _in_window(rule, profile, send.at, last.at)}
                if len(inside) > rule.most:
                    yield _too_many(cap, rule, last, len(inside))


def _in_window(rule: CapRule, profile: Any, at: int, now: int) -> bool:
    if rule.window == "rolling":
        return now - rule.per < at <= now
    assert rule.per == 86_400_000, "weeks are not in this world"
    return at <= now and _local(profile, at).date() == _local(profile, now).date()


def _too_many(cap: Cap, rule: CapRule, last: Delivery, count: int) -> str:
    return f"{cap.name}: {count} of {rule.most} in {rule.window} {rule.per} at {last.at}, user {last.user_id}"


def _night(world: World, delivery: Delivery) -> Iterator[str]:
    quiet, profile = world.rules.policy.quiet_hours, world.profiles[delivery.user_id]
    wish = world.rules.activities[delivery.activity].limits.quiet_hours
    if quiet is None or wish == "ignore" or delivery.channel in AWAKE or "white" in profile.get("lists", ()):
        return
    shown = _local(profile, delivery.at)
    if quiet.start <= shown.hour * 60 + shown.minute < quiet.end:
        yield f"{delivery.activity}: {delivery.channel} at {shown}, user {delivery.user_id}"


def _local(profile: Any, at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(profile["timezone"]))
