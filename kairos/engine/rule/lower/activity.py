"""An activity's file becomes an `Activity`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import Policy
from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lower.trigger import Trigger, lower_trigger
from kairos.engine.rule.model import Active, Activity, Audience, Goal, Limits, Send, Variant
from kairos.engine.rule.text.report import Report
from kairos.engine.rule.text.scalars import epoch_ms


@dataclass(frozen=True)
class Draft:
    """An activity while it is checked: what it means (`activity`) and where that is written (`source`)."""

    activity: Activity
    trigger: Trigger
    source: Value
    report: Report

    @property
    def name(self) -> str:
        return self.activity.name

    def sends(self) -> list[tuple[Send, Value]]:
        """Every entry of `send`, those of variants included, with its place."""
        lists = [(self.activity.send, self.source.find("send"))]
        variants = self.source.find("variants")
        for variant, place in zip(self.activity.variants, variants.each() if variants else (), strict=False):
            lists.append((variant.send, place.find("send")))
        return [pair for sends, place in lists if place for pair in zip(sends, place.each(), strict=False)]


def lower_activity(value: Value, policy: Policy, report: Report) -> Draft | None:
    """None where name or trigger could not be read; whatever else could not be read has its default."""
    trigger = lower_trigger(value["trigger"]) if "trigger" in value else None
    if trigger is None or "activity" not in value:
        return None
    activity = Activity(
        name=value.plain("activity"),
        pattern=trigger.pattern,
        title=value.plain("title"),
        owner=value.plain("owner"),
        state=value.plain("state"),
        priority=value.plain("priority"),
        active=_active(value.find("active"), policy),
        on_change=value.plain("on_change"),
        audience=_audience(value.find("audience")),
        limits=_limits(value.find("limits"), policy),
        data=value.plain("data") or {},
        send=_sends(value.find("send")),
        variants=_variants(value.find("variants")),
        goal=_goal(value.find("goal")),
    )
    return Draft(activity, trigger, value, report)


def zone_of(value: Value | None, policy: Policy) -> ZoneInfo:
    """The zone of an activity's dates."""
    return ZoneInfo((value.plain("timezone") if value else None) or policy.timezone)


def _active(value: Value | None, policy: Policy) -> Active:
    if value is None:
        return Active()
    zone = zone_of(value, policy)
    start, end = value.plain("from"), value.plain("until")
    return Active(
        epoch_ms(start, zone) if start else None, epoch_ms(end, zone) if end else None, value.plain("timezone")
    )


def _names(value: Value, field: str) -> tuple[str, ...]:
    return tuple(value.plain(field) or ())


def _audience(value: Value | None) -> Audience:
    if value is None:
        return Audience()
    return Audience(
        _names(value, "in"),
        _names(value, "any_of"),
        _names(value, "not_in"),
        value.plain("where"),
        value.plain("control_group"),
    )


def _limits(value: Value | None, policy: Policy) -> Limits:
    if value is None:
        return Limits(caps=policy.default_caps, counts_toward=policy.default_caps)
    caps = _names(value, "caps") if "caps" in value else policy.default_caps
    budget = value.find("budget", "sends")
    return Limits(
        once=value.plain("once"),
        caps=caps,
        counts_toward=_names(value, "counts_toward") if "counts_toward" in value else caps,
        send_before=value.plain("send_before"),
        quiet_hours=value.plain("quiet_hours"),
        budget=budget.data if budget else None,
    )


def _sends(value: Value | None) -> tuple[Send, ...]:
    """As many as can be read: what has no channel is broken and already reported."""
    if value is None:
        return ()
    value.data = [entry for entry in value.each() if "channel" in entry]
    return tuple(_send(entry) for entry in value.each())


def _send(entry: Value) -> Send:
    data: dict[str, Any] = entry.plain("data") or {}
    return Send(entry.plain("channel"), entry.plain("template"), entry.plain("after"), entry.plain("unless"), data)


def _variants(value: Value | None) -> tuple[Variant, ...]:
    if value is None:
        return ()
    value.data = [entry for entry in value.each() if all(key in entry for key in ("name", "weight", "send"))]
    return tuple(Variant(v.plain("name"), v.plain("weight"), _sends(v["send"])) for v in value.each())


def _goal(value: Value | None) -> Goal | None:
    if value is None or "event" not in value or "within" not in value:
        return None
    return Goal(tuple(value.plain("event")), value.plain("within"), value.plain("where"), value.plain("value"))
