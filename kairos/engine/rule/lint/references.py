"""Names of crowds, caps, event types, metrics and props that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lint.world import RECEIPT, World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report, listed, nearest

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
    for step in draft.trigger.sources:
        for key in ("event", "count", "absent", "not_next"):
            _check_types(step.find(key), key, world, report)
    _check_types(source.find("goal", "event"), "goal: event", world, report)
    _check_per(draft, world)


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
    for key in ("union", "intersect", "difference"):
        for part in _each(crowd.find(key)):
            yield from crowd_parts(part)
    if of := crowd.find("of"):
        yield of


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


def _check_types(value: Value | None, key: str, world: World, report: Report) -> None:
    known = world.event_types
    for type_ in _each(value):
        if type_.data == RECEIPT:
            message = f"{key}: receipts act on deliveries; patterns, goals and metrics never see them"
            report.error(type_.node, "unknown-event", message, "`unless` of a send asks for a receipt")
        elif known is not None and type_.data not in known:
            hint = nearest(type_.data, known) or "declare it in sources.yaml"
            report.error(type_.node, "unknown-event", f"{key}: no source declares the event type '{type_.data}'", hint)


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


def _check_metric(metric: Value, world: World, report: Report) -> None:
    events = metric.find("count") or metric.find("of")
    _check_types(metric.find("count"), "count", world, report)
    _check_types(metric.find("of"), "of", world, report)
    function = next(
        (key for key in metric.data if key in ("sum", "avg", "min", "max", "distinct", "last", "first")), None
    )
    if metric.broken:
        return
    if function and not metric.find("of"):
        report.error(
            metric.keys[function],
            "missing-key",
            f"{function}: 'of' is missing: the events whose prop it is",
            "of: purchase",
        )
    if "count" in metric and "of" in metric.keys:
        report.error(
            metric.keys["of"], "wrong-form", "count: 'of' does not go with 'count', which names the events itself"
        )
    props = world.props([type_.data for type_ in _each(events)]) if events else None
    if props is None:
        return
    if function and (value := metric[function]).data != "event.time":
        _check_prop(value, function, props, report)
        if function in ("sum", "avg", "min", "max") and props.get(value.data, "any") not in (
            "number",
            "integer",
            "any",
        ):
            message = f"{function}: '{value.data}' is {props[value.data]}; only a number has a {function}"
            report.error(value.node, "type-mismatch", message)
    if per := metric.find("per"):
        _check_prop(per, "per", props, report)


def _check_prop(value: Value, key: str, props: object, report: Report) -> None:
    assert isinstance(props, dict)
    if value.data not in props:
        report.error(
            value.node,
            "unknown-prop",
            f"{key}: '{value.data}' is not a prop of these events",
            nearest(value.data, props),
        )
