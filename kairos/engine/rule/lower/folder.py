"""The files beside the activities become metrics, crowds, policy, sources, profile types, materials, numbers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.metric.spec import Collect, Decay, Metric
from kairos.engine.policy.spec import Cap, CapRule, Group, Policy, QuietHours, SharedBudget, UserList
from kairos.engine.profile.topics import Topic
from kairos.engine.rule.fields.metrics import COLLECTED, METRIC
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.model import EventSchema, Material, MiniProgram, Source
from kairos.engine.rule.text.scalars import epoch_ms


def lower_metrics(value: Value) -> dict[str, Metric]:
    found = {name: lower_metric(name, entry) for name, entry in value.items()}
    return {name: metric for name, metric in found.items() if metric is not None}


def lower_metric(name: str, value: Value) -> Metric | None:
    function = next(iter(METRIC.kinds(value.data)), None)
    if function is None:
        return None
    aggregate, decay = AGGREGATES.get(function), _decay(value.find("decay"))
    of_events = aggregate is not None and aggregate.reads == "events"
    events = list(decay.points) if decay is not None else value.plain(function if of_events else "of")
    if not events:
        return None
    aggregated = None if aggregate is None or of_events else str(value.plain(function))
    rest = (value.plain("where"), value.plain("window"), value.plain("per"), _collect(value), decay)
    return Metric(name, function, tuple(events), aggregated, *rest)


def _collect(value: Value) -> Collect | None:
    if "collect" not in value:
        return None
    most = value.plain("max")
    return Collect(tuple(value.plain("collect")), most if isinstance(most, int) else COLLECTED)


def _decay(value: Value | None) -> Decay | None:
    if value is None or "points" not in value or "half_life" not in value:
        return None
    return Decay(value.plain("points"), value.plain("half_life"), value.plain("max_per_day"))


def _users(value: Value) -> tuple[str, ...] | None:
    """The users of a list; None for `redis`, which keeps them elsewhere."""
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
        matching={name: _group(name, group) for name, group in _entries(value, "matching")},
        budgets=_budgets(value),
    )


def _entries(value: Value, key: str) -> list[tuple[str, Value]]:
    found = value.find(key)
    return list(found.items()) if found else []


def _group(name: str, value: Value) -> Group:
    floor = value.plain("floor")
    return Group(
        name,
        value.plain("score"),
        value.plain("collect"),
        value.plain("choose"),
        value.plain("per"),
        None if floor is None else float(floor),
        value.plain("explore"),
        value.plain("losers"),
    )


def _budgets(value: Value) -> dict[str, SharedBudget]:
    zone = ZoneInfo(value.plain("timezone"))
    found: dict[str, SharedBudget] = {}
    for name, budget in _entries(value, "budgets"):
        if "cost" in budget:
            until = budget.plain("until")
            found[name] = SharedBudget(float(budget.plain("cost")), epoch_ms(until, zone) if until else None)
    return found


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
    mapping, unit = value.plain("map"), "ms"
    if mapping is not None and isinstance(time := mapping.get("time"), dict):
        mapping, unit = {**mapping, "time": time["from"]}, time["unit"]
    return Source(name, schemas, value.plain("enabled"), value.plain("identity"), mapping, unit)


def _schema(props: dict[str, str]) -> EventSchema:
    required = tuple(prop for prop, type_ in props.items() if type_.endswith("!"))
    return EventSchema({prop: type_.rstrip("!") for prop, type_ in props.items()}, required)


def lower_topics(value: Value) -> dict[str, Topic]:
    return {
        name: Topic(entry.plain("default"), entry.plain("title")) for name, entry in value.items() if "default" in entry
    }


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


def lower_numbers(value: Value) -> tuple[dict[str, dict[str, float]], dict[str, float], dict[str, float]]:
    """Weights of variants, and effects, by activity; and the prices of shared budgets."""
    return value.plain("variants") or {}, value.plain("uplift") or {}, value.plain("prices") or {}
