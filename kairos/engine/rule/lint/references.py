"""Names of crowds, caps, event types, metrics and props that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from kairos.engine.event import CATALOG_CHANGED, CATALOG_ITEM, OWN, OWN_TYPES
from kairos.engine.expression.check.kinds import KINDS, said
from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.rule.fields.metrics import METRIC
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.scopes import match_names
from kairos.engine.rule.lint.world import RECEIPT, World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.crowds import parts_in
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed, nearest, shown

_CROWD_LISTS = ("in", "any_of", "not_in")


def check_references(draft: Draft, world: World) -> None:
    source, report = draft.source, draft.report
    for key in _CROWD_LISTS:
        for name in _each(source.find("audience", key)):
            check_name(name, key, "crowd", world.crowd_names, report, "crowds.yaml")
    control = source.find("audience", "control_group")
    if control and isinstance(control.data, str):
        check_name(control, "control_group", "crowd", world.crowd_names, report, "crowds.yaml")
    for key in ("caps", "counts_toward"):
        for name in _each(source.find("limits", key)):
            check_name(name, key, "cap", world.cap_names, report, "policy.yaml")
    if topic := source.find("topic"):
        check_name(topic, "topic", "topic", world.topic_names, report, "topics.yaml")
    for step in draft.trigger.sources:
        for key in ("event", "count", "absent", "not_next"):
            if (types := step.find(key)) and isinstance(types.data, list):
                check_types(types, key, world, report)
    check_types(source.find("goal", "event"), "goal: event", world, report)
    _check_per(draft, world)
    if (once := source.find("limits", "once", "per")) and draft.trigger.complete:
        props = match_names(draft.activity.pattern, world).props
        if props is not None and once.data != draft.activity.pattern.per:
            check_prop(once, "once: per", props, report)


def check_folder(values: dict[str, Value], world: World, report_of: dict[str, Report]) -> None:
    """The references inside metrics.yaml, crowds.yaml and policy.yaml."""
    if metrics := values.get("metrics.yaml"):
        for _, metric in metrics.items():
            _check_metric(metric, world, report_of["metrics.yaml"])
    if crowds := values.get("crowds.yaml"):
        for _, crowd in crowds.items():
            for name in crowd_parts(crowd):
                check_name(name, "crowd", "crowd", world.crowd_names, report_of["crowds.yaml"], "crowds.yaml")
    if policy := values.get("policy.yaml"):
        for name in _each(policy.find("default_caps")):
            check_name(name, "default_caps", "cap", world.cap_names, report_of["policy.yaml"], "policy.yaml")


def crowd_parts(crowd: Value) -> Iterator[Value]:
    """The names that a crowd's definition mentions, nested ones included."""
    if isinstance(crowd.data, str):
        yield crowd
        return
    for part in parts_in(crowd):
        yield from crowd_parts(part)
    if seed := crowd.find("lookalike", "seed"):
        yield seed
    yield from _each(crowd.find("lookalike", "exclude"))


def check_name(value: Value, key: str, what: str, known: Iterable[str] | None, report: Report, file: str) -> None:
    """`known` None: the file that would declare it cannot be read."""
    if known is not None and value.data not in known:
        names = sorted(known)
        hint = nearest(value.data, names) or (
            f"defined in {file}: {listed(names[:10], 'and')}" if names else f"define it in {file}"
        )
        report.error(value.node, f"unknown-{what}", f"{key}: there is no {what} '{value.data}'", hint)


def _each(value: Value | None) -> list[Value]:
    return value.each() if value is not None else []


def check_types(value: Value | None, key: str, world: World, report: Report) -> None:
    for type_ in _each(value):
        check_type(type_.data, type_.node, key, world, report)


def check_type(type_: str, node: Node, key: str, world: World, report: Report) -> None:
    known = world.event_types
    if type_ == RECEIPT:
        message = f"{key}: receipts act on deliveries; patterns, goals and metrics never see them"
        report.error(node, "unknown-event", message, "what became of a message is message.sent, .clicked ...")
    elif type_ == CATALOG_ITEM:
        message = f"{key}: '{type_}' says what an item is, and is of no user"
        report.error(node, "unknown-event", message, "whoever follows the item gets catalog.changed")
    elif type_ == CATALOG_CHANGED and world.catalog_names == frozenset():
        message = f"{key}: there is no catalog, so nothing of it changes"
        report.error(node, "unknown-event", message, "declare it in catalogs.yaml")
    elif type_.startswith(OWN):
        if type_ not in OWN_TYPES:
            hint = nearest(type_, OWN_TYPES) or f"there are {listed(OWN_TYPES, 'and')}"
            report.error(node, "unknown-event", f"{key}: '{type_}' is none of Kairos' own events", hint)
    elif known is not None and type_ not in known:
        hint = nearest(type_, known) or "declare it in sources.yaml"
        report.error(node, "unknown-event", f"{key}: no source declares the event type '{type_}'", hint)


def _check_per(draft: Draft, world: World) -> None:
    """`per` must be a prop of every event type that the pattern names."""
    per = draft.source.find("trigger", "per")
    if per is None:
        return
    types = dict.fromkeys(type_ for step in draft.activity.pattern.steps for type_ in step.types)
    lacking = [type_ for type_ in types if (props := world.props([type_])) is not None and per.data not in props]
    if lacking:
        message = f"per: '{per.data}' is not a prop of {listed(lacking, 'and')}: such an event would never be seen"
        draft.report.error(per.node, "unknown-prop", message, nearest(per.data, world.props(lacking) or ()))
    else:
        _check_per_types(per, types, world, draft.report)


def _check_per_types(per: Value, types: Iterable[str], world: World, report: Report) -> None:
    """Values of different types are never the same: what is created would not be known again when it is paid."""
    typed = {type_: kind for type_ in types if (kind := (world.props([type_]) or {}).get(per.data, "any")) != "any"}
    for (one, kind), (other, unlike) in combinations(typed.items(), 2):
        if not _same_values(kind, unlike):
            message = f"per: '{per.data}' is {said(kind)} in {one}, and {said(unlike)} in {other}: they never are equal"
            report.error(per.node, "type-mismatch", message, "declare the same type for both in sources.yaml")
            return


def _same_values(kind: str, other: str) -> bool:
    """Whether values of these types can be equal; those of a list are of any type."""
    return kind == "list" or other == "list" or bool(KINDS[kind] & KINDS[other])


def _check_metric(metric: Value, world: World, report: Report) -> None:
    if "decay" in metric.keys:
        _check_decay(metric, world, report)
        return
    given = METRIC.kinds(metric.data)
    own = next((key for key in given if key in AGGREGATES and AGGREGATES[key].reads == "events"), "of")
    events = metric.find(own) or metric.find("of")
    for key in dict.fromkeys((own, "of")):
        check_types(metric.find(key), key, world, report)
    function = next((key for key in given if key != own), None)
    if metric.broken:
        return
    if function and not metric.find("of"):
        report.error(
            metric.keys[function],
            "missing-key",
            f"{function}: 'of' is missing: the events whose prop it is",
            "of: purchase",
        )
    if own in metric and own != "of" and "of" in metric.keys:
        message = f"{own}: 'of' does not go with '{own}', which names the events itself"
        report.error(metric.keys["of"], "wrong-form", message)
    if (most := metric.find("max")) and isinstance(most.data, int) is not (function == "collect"):
        expected = "a number of events, such as max: 20" if function == "collect" else "the name of a prop"
        report.error(most.node, "wrong-type", f"max: expected {expected}, found {shown(most.node.text)}")
        return
    props = world.props([type_.data for type_ in _each(events)]) if events else None
    if props is None:
        return
    for field in _each(metric.find("collect")):
        check_prop(field, "collect", props, report)
    if function and function != "collect" and (value := metric[function]).data != "event.time":
        check_prop(value, function, props, report)
        if AGGREGATES[function].reads == "numbers" and props.get(value.data, "any") not in (
            "number",
            "integer",
            "any",
        ):
            message = f"{function}: '{value.data}' is {props[value.data]}; only a number has a {function}"
            report.error(value.node, "type-mismatch", message)
    if per := metric.find("per"):
        check_prop(per, "per", props, report)


def _check_decay(metric: Value, world: World, report: Report) -> None:
    for key in ("of", "window"):
        if key in metric.keys:
            why = "the events are those of `points`" if key == "of" else "points lose their worth by `half_life`"
            report.error(metric.keys[key], "wrong-form", f"decay: '{key}' does not go with it: {why}")
    points = metric.find("decay", "points")
    for type_, node in points.keys.items() if points else ():
        check_type(type_, node, "points", world, report)
    if (per := metric.find("per")) and points and (props := world.props(list(points.keys))) is not None:
        check_prop(per, "per", props, report)


def check_prop(value: Value, key: str, props: object, report: Report) -> None:
    assert isinstance(props, dict)
    if value.data not in props:
        report.error(
            value.node,
            "unknown-prop",
            f"{key}: '{value.data}' is not a prop of these events",
            nearest(value.data, props),
        )
