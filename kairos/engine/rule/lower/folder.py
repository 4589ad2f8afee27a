"""The files beside the activities become metrics, crowds, policy, sources, profile types, materials."""

from __future__ import annotations

from typing import Any, cast

from kairos.engine.crowd.spec import Crowd, Members, RuleCrowd, Sample, SetCrowd
from kairos.engine.metric.spec import Metric
from kairos.engine.policy.spec import Cap, CapRule, Policy, QuietHours, UserList
from kairos.engine.rule.fields.folder import CROWD, METRIC
from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.model import EventSchema, Material, MiniProgram, Source


def lower_metrics(value: Value) -> dict[str, Metric]:
    found = {name: lower_metric(name, entry) for name, entry in value.items()}
    return {name: metric for name, metric in found.items() if metric is not None}


def lower_metric(name: str, value: Value) -> Metric | None:
    function = next((f for f in METRIC.choose if f in value), None)
    events = value.plain("count") or value.plain("of")
    if function is None or not events:
        return None
    aggregated = None if function == "count" else value.plain(function)
    rest = (value.plain("where"), value.plain("window"), value.plain("per"))
    return Metric(name, cast(Any, function), tuple(events), aggregated, *rest)


def lower_crowds(value: Value) -> dict[str, Crowd]:
    found = {name: lower_crowd(entry) for name, entry in value.items()}
    return {name: crowd for name, crowd in found.items() if crowd is not None}


def lower_crowd(value: Value) -> Crowd | None:
    kind = next((k for k in CROWD.choose if k in value), None)
    match kind:
        case "members":
            return Members(_users(value["members"]))
        case "where":
            return RuleCrowd(value.plain("where"))
        case "union" | "intersect" | "difference":
            return SetCrowd(kind, tuple(part for p in value[kind].each() if (part := _part(p)) is not None))
        case "sample":
            return Sample(value.plain("sample"), value.plain("of"))
    return None


def _part(value: Value) -> str | Crowd | None:
    return value.data if isinstance(value.data, str) else lower_crowd(value)


def _users(value: Value) -> tuple[str, ...] | None:
    """None: `redis`."""
    return None if value.data == "redis" else tuple(value.unwrap())


def lower_policy(value: Value) -> Policy:
    quiet = value.find("quiet_hours")
    hours = QuietHours(quiet.plain("from"), quiet.plain("to")) if quiet and "from" in quiet and "to" in quiet else None
    caps = value.find("caps")
    black, white = value.find("lists", "black"), value.find("lists", "white")
    return Policy(
        timezone=value.plain("timezone"),
        quiet_hours=hours,
        default_caps=tuple(value.plain("default_caps")),
        caps={name: _cap(name, cap) for name, cap in caps.items()} if caps else {},
        black=UserList(_users(black)) if black else None,
        white=UserList(_users(white)) if white else None,
        dedup=value.plain("dedup"),
    )


def _cap(name: str, value: Value) -> Cap:
    rules = value.find("rules")
    readable = [rule for rule in rules.each() if "max" in rule and "per" in rule] if rules else []
    retry = value.find("on_exceed", "retry_for")
    return Cap(name, tuple(_cap_rule(rule) for rule in readable), retry.data if retry else None)


def _cap_rule(value: Value) -> CapRule:
    return CapRule(value.plain("max"), value.plain("per"), value.plain("window"), value.plain("channel"))


def lower_sources(value: Value) -> dict[str, Source]:
    return {name: _source(name, entry) for name, entry in value.items()}


def _source(name: str, value: Value) -> Source:
    events = value.plain("events") or {}
    schemas = {event: _schema(props) for event, props in events.items()}
    return Source(name, schemas, value.plain("enabled"), value.plain("identity"), value.plain("map"))


def _schema(props: dict[str, str]) -> EventSchema:
    required = tuple(prop for prop, type_ in props.items() if type_.endswith("!"))
    return EventSchema({prop: type_.rstrip("!") for prop, type_ in props.items()}, required)


def lower_profile(value: Value) -> dict[str, str]:
    profile: dict[str, str] = value.unwrap()
    return profile


def lower_materials(value: Value) -> dict[str, Material]:
    """Those that could be read as a whole."""
    return {name: _material(entry) for name, entry in value.items() if not entry.broken}


def _material(value: Value) -> Material:
    texts = {field: value.plain(field) for field in ("title", "text", "image", "link")}
    program = value.find("mini_program")
    return Material(**texts, mini_program=MiniProgram(**program.unwrap()) if program else None)
