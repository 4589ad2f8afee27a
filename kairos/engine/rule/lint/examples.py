"""Examples: events that the sources know, names that exist."""

from __future__ import annotations

from kairos.engine.profile.consent import field_meant
from kairos.engine.profile.fields import OWN_FIELDS, problem_of
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.journey import LEFT
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import RECEIPT, World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.examples import event_entry
from kairos.engine.rule.lower.journey import JourneyDraft
from kairos.engine.rule.text.report import Report, listed, nearest

RECEIPT_STATUS = ("sent", "delivered", "read", "failed", "clicked")


def check_examples(
    path: str, value: Value, draft: Draft | JourneyDraft | None, lost: bool, world: World, report: Report
) -> None:
    """`draft`: the activity beside it; `lost`: it is there and cannot be read."""
    if draft is None and not lost:
        beside = path.removesuffix(".test.yaml") + ".yaml"
        report.at(
            1,
            1,
            "error",
            "no-activity",
            f"there is no {beside}: examples stand beside their activity",
            "rename one of them",
        )
    _check_users(value, world, report)
    names: dict[str, int] = {}
    for test in value["tests"].each() if "tests" in value else ():
        _check_users(test, world, report)
        if name := test.find("name"):
            if name.data in names:
                message = f"name: the test '{name.data}' is already on line {names[name.data]}"
                report.error(name.node, "duplicate-test", message, "rename one")
            names.setdefault(name.data, name.node.line)
        for event in test["events"].each() if "events" in test else ():
            _check_event(event, world, report)
        _check_expected(test, draft, report)


def _check_users(value: Value, world: World, report: Report) -> None:
    profiles, metrics = value.find("profiles"), value.find("metrics")
    for _, profile in profiles.items() if profiles else ():
        for field, entry in profile.items():
            declared = {*(world.profile or ()), *OWN_FIELDS}
            if field not in declared and (world.profile is not None or field_meant(field) != field):
                message = f"profiles: '{field}' is not a declared field of the profile"
                report.error(profile.keys[field], "unknown-profile-field", message, nearest(field, declared))
            if entry.data is not None and (problem := problem_of(field, entry.data, world.profile)):
                message = f"{field}: {problem}, found '{entry.node.text or entry.node.kind}'"
                report.warning(entry.node, "wrong-type", message, "the example proves nothing of what a real one does")
            if field == "crowds":
                _check_crowds(entry, world, report)
    for _, table in metrics.items() if metrics else ():
        for name in table.data:
            key = table.keys[name]
            if world.metric_names is not None and name not in world.metric_names:
                report.error(
                    key, "unknown-metric", f"metrics: there is no metric '{name}'", nearest(name, world.metric_names)
                )


def _check_crowds(crowds: Value, world: World, report: Report) -> None:
    for node in crowds.node.items:
        check_name(Value(node, crowds.type, node.text), "crowds", "crowd", world.crowd_names, report, "crowds.yaml")


def _check_event(event: Value, world: World, report: Report) -> None:
    entry = event_entry(event)
    if entry is None:
        if not event.broken:
            report.error(
                event.node, "missing-key", "event: its type and props are missing", "order_created: {user_id: u1, ...}"
            )
        return
    type_, props = entry
    known = world.event_types
    if known is not None and type_ not in known and type_ != RECEIPT:
        message = f"events: no source declares the event type '{type_}'"
        report.error(
            event.keys[type_],
            "unknown-event",
            message,
            nearest(type_, known) or f"declared: {listed(sorted(known), 'and')}",
        )
    user = props.find("user_id")
    if user is None:
        report.error(
            event.keys[type_], "missing-key", f"{type_}: 'user_id' is missing: whose event is it?", "user_id: u1"
        )
    elif not isinstance(user.data, str) or not user.data:
        report.error(
            user.node,
            "wrong-type",
            f"user_id: expected text, found {user.node.text or user.node.kind}",
            "put it into quotes",
        )
    source = event.find("source")
    if source and world.sources is not None and source.data not in world.sources:
        report.error(
            source.node,
            "unknown-source",
            f"source: there is no source '{source.data}'",
            nearest(source.data, world.sources),
        )
    if type_ == RECEIPT:
        _check_receipt(props, report)
    else:
        _check_props(event, type_, props, world, report)


def _check_receipt(props: Value, report: Report) -> None:
    status = props.find("status")
    if status and status.data not in RECEIPT_STATUS:
        message = f"status: expected {listed(RECEIPT_STATUS)}, found '{status.node.text}'"
        report.error(status.node, "bad-choice", message, nearest(status.node.text, RECEIPT_STATUS))


def _check_props(event: Value, type_: str, props: Value, world: World, report: Report) -> None:
    """An event that the sources would refuse proves nothing about the one that they take."""
    schemas = [source.events[type_] for source in (world.sources or {}).values() if type_ in source.events]
    if not schemas:
        return
    missing = [prop for prop in schemas[0].required if prop not in props]
    if missing and all(set(schema.required) & set(missing) for schema in schemas):
        message = f"{type_}: sources.yaml requires {listed(missing, 'and')}, which this event does not have"
        report.warning(event.keys[type_], "missing-prop", message, "such an event would be refused in production")
    types = world.props([type_]) or {}
    for name, prop in props.items():
        kind = types.get(name, "any")
        if name != "user_id" and prop.data is not None and not _fits(prop.data, kind):
            message = f"{name}: sources.yaml declares {kind}, found '{prop.node.text or prop.node.kind}'"
            report.error(prop.node, "wrong-type", message, f"a value of type {kind}")


def _fits(data: object, kind: str) -> bool:
    if isinstance(data, bool):
        return kind in ("boolean", "any")
    fitting: dict[str, type | tuple[type, ...]] = {
        "string": str, "number": (int, float), "integer": int, "boolean": bool, "time": (int, str), "date": str,
        "list": list, "object": dict,
    }  # fmt: skip
    return kind == "any" or isinstance(data, fitting[kind])


def _check_expected(test: Value, draft: Draft | JourneyDraft | None, report: Report) -> None:
    """Names in expectations that this activity does not have."""
    if draft is None:
        return
    expected = test["expect"].each() if "expect" in test else []
    if isinstance(draft, JourneyDraft):
        _check_steps(expected, draft, report)
        return
    variants = {variant.name for variant in draft.activity.variants}
    for entry in expected:
        if step := entry.find("step"):
            message = f"step: {draft.name} is an activity; only a journey has steps"
            report.error(step.node, "wrong-form", message, "remove it")
        variant, channel = entry.find("variant"), entry.find("channel")
        if variant and variant.data not in variants and not draft.source.broken:
            report.error(variant.node, "unknown-variant", f"variant: {draft.name} has no variant '{variant.data}'",
                         nearest(variant.data, variants))  # fmt: skip
        channels = {send.channel for send, _ in draft.sends()}
        if channel and channel.data not in channels and not draft.source.broken:
            message = f"channel: {draft.name} never sends by {channel.data}"
            report.error(
                channel.node,
                "unknown-channel",
                message,
                f"its channels: {listed(sorted(channels), 'and')}" if channels else None,
            )


def _check_steps(expected: list[Value], draft: JourneyDraft, report: Report) -> None:
    names = [message.name.partition(".")[2] for message in draft.messages] + [LEFT]
    for entry in expected:
        if (step := entry.find("step")) and step.data not in names and not draft.source.broken:
            message = f"step: {draft.name} has no message '{step.data}'"
            report.error(
                step.node, "unknown-step", message, nearest(step.data, names) or f"it has {listed(names, 'and')}"
            )
