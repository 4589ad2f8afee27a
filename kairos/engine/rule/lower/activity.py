"""An activity's file becomes an `Activity`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import DAYS, Policy, QuietHours, SendWindow
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lower.schedule import lower_pace
from kairos.engine.rule.lower.sends import lower_sends
from kairos.engine.rule.lower.trigger import Trigger, lower_trigger
from kairos.engine.rule.lower.variants import Weights, lower_best, lower_variants, variants_in
from kairos.engine.rule.model import (
    Active,
    Activity,
    Audience,
    Best,
    FromPlan,
    Goal,
    Guardrails,
    Limits,
    OncePer,
    Schedule,
    Send,
    Worth,
)
from kairos.engine.rule.text.report import Report
from kairos.engine.rule.text.scalars import epoch_ms


@dataclass(frozen=True)
class Draft:
    """An activity while it is checked: what it means (`activity`, `best`) and where that is written (`source`)."""

    activity: Activity
    trigger: Trigger
    source: Value
    report: Report
    best: Best | None = None

    @property
    def name(self) -> str:
        return self.activity.name

    def sends(self) -> list[tuple[Send, Value]]:
        """Every entry of `send`, those of variants included, with its place."""
        lists = [(self.activity.send, self.source.find("send"))]
        for variant, place in zip(self.activity.variants, variants_in(self.source), strict=False):
            lists.append((variant.send, place.find("send")))
        return [pair for sends, place in lists if place for pair in zip(sends, place.each(), strict=False)]


def lower_activity(
    value: Value,
    theme: str,
    policy: Policy,
    live: Container[str],
    learned: Mapping[str, Weights],
    report: Report,
) -> Draft | None:
    """None where name or trigger could not be read; whatever else could not be read has its default.

    The entry of a journey is lowered in the same way.

    `live`: crowds that only the job can say who is in. `learned`: activity -> weights of its variants.
    """
    name = value.find("activity") or value.find("journey")
    if "trigger" not in value or name is None:
        return None
    trigger = lower_trigger(value["trigger"], name.data, live)
    if trigger is None:
        return None
    activity = Activity(
        name=name.data,
        pattern=trigger.pattern,
        title=value.plain("title"),
        owner=value.plain("owner"),
        state=value.plain("state"),
        priority=value.plain("priority"),
        active=_active(value.find("active"), policy),
        on_change=value.plain("on_change"),
        audience=_audience(value.find("audience"), trigger.schedule),
        limits=_limits(value.find("limits"), policy),
        data=value.plain("data") or {},
        theme=theme,
        send=lower_sends(value.find("send")),
        variants=lower_variants(value, learned.get(name.data, {})),
        goal=_goal(value.find("goal")),
        kind=value.plain("class"),
        schedule=trigger.schedule,
        pace=lower_pace(value.find("pace")),
        topic=value.plain("topic"),
        shadow=_said(value, "shadow"),
        rollout=_said(value, "rollout"),
        guardrails=_guardrails(value.find("guardrails")),
        plan=_plan(value.find("from")),
        matching=value.plain("matching") if "matching" in value else None,
        worth=lower_worth(value.find("worth")),
    )
    return Draft(activity, trigger, value, report, lower_best(value))


def _said(value: Value, field: str) -> Any:
    """None where it is not written; journeys have no such field."""
    found = value.find(field)
    return found.data if found is not None else None


def _guardrails(value: Value | None) -> Guardrails:
    if value is None:
        return Guardrails()
    return Guardrails(value.plain("failed"), value.plain("unsubscribed"), value.plain("regret"))


def _plan(value: Value | None) -> FromPlan | None:
    if value is None or "plan" not in value or "version" not in value:
        return None
    return FromPlan(value.plain("plan"), value.plain("version"), value.plain("parameters") or {})


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


def _audience(value: Value | None, schedule: Schedule | None) -> Audience:
    """Whoever a schedule is for must still be in its crowd when the gate asks."""
    crowd = (schedule.crowd,) if schedule is not None and schedule.crowd is not None else ()
    if value is None:
        return Audience(crowd)
    return Audience(
        (*crowd, *_names(value, "in")),
        _names(value, "any_of"),
        _names(value, "not_in"),
        value.plain("where"),
        value.plain("control_group"),
    )


def _limits(value: Value | None, policy: Policy) -> Limits:
    if value is None:
        return Limits(caps=policy.default_caps, counts_toward=policy.default_caps)
    caps = _names(value, "caps") if "caps" in value else policy.default_caps
    budget = value.plain("budget")
    return Limits(
        once=_once(value),
        caps=caps,
        counts_toward=_names(value, "counts_toward") if "counts_toward" in value else caps,
        send_before=value.plain("send_before"),
        quiet_hours=value.plain("quiet_hours"),
        budget=budget.get("sends") if isinstance(budget, dict) else None,
        shared=budget if isinstance(budget, str) else None,
        send_window=_send_window(value.find("send_window")),
    )


def lower_worth(value: Value | None) -> Worth | None:
    if value is None:
        return None
    said = {name: value.plain(name) for name in ("value", "uplift", "cost")}
    return Worth(**{name: float(told) if isinstance(told, int) else told for name, told in said.items()})


def _once(value: Value) -> Any:
    per, span = value.find("once", "per"), value.find("once", "in")
    if per and span:
        return OncePer(per.data, span.data)
    plain = value.plain("once")
    return "occurrence" if isinstance(plain, dict) else plain


def _send_window(value: Value | None) -> SendWindow | None:
    if value is None or "from" not in value or "to" not in value:
        return None
    days = sorted({DAYS.index(day) for day in value.plain("days")})
    return SendWindow(QuietHours(value.plain("from"), value.plain("to")), tuple(days))


def _goal(value: Value | None) -> Goal | None:
    if value is None or "event" not in value or "within" not in value:
        return None
    return Goal(tuple(value.plain("event")), value.plain("within"), value.plain("where"), value.plain("value"))
