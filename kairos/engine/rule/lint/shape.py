"""Fields of an activity that exclude or repeat each other, names that are taken."""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.rule.content.template_facts import OWN, ROOTS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.variants import variants_in
from kairos.engine.rule.text.report import Report


def check_shape(draft: Draft, world: World) -> None:
    source, report = draft.source, draft.report
    if "send" in source.keys and "variants" in source.keys:
        message = "'send' and 'variants' exclude each other: variants have a send of their own"
        report.error(source.keys["variants"], "too-many-kinds", message, "keep one")
    if draft.activity.service and "class" in source:  # a message of a journey has it from the journey
        message = (
            "class: a service message goes to those too who have unsubscribed: only what a customer has to be told"
        )
        report.warning(source["class"].node, "service-class", message, "class: marketing, for all that wants to sell")
    _unique_variants(source, report)
    for place in (source, *variants_in(source)):
        _unique_channels(place.find("send"), report)
    if draft.best is not None and "goal" not in source.keys:
        message = "variants: the best of them is the one that reaches the goal most often, and there is no goal"
        report.error(source.keys["variants"], "best-without-goal", message, "goal: {event: ..., within: ...}")
    for place in (source, *(entry for _, entry in draft.sends())):
        _check_data(place.find("data"), (*ROOTS, *OWN, *(world.catalog_names or ())), report)


def _check_data(data: Value | None, taken: Iterable[str], report: Report) -> None:
    """What templates read under the names that are taken is something else."""
    for name in taken:
        if data and name in data:
            message = f"data: '{name}' is taken: in a template it means the {name} itself"
            report.error(data.keys[name], "reserved-name", message, "give it another name")


def _unique_channels(sends: Value | None, report: Report) -> None:
    """All entries of one `send` use up one slot of a cap: a second one of a channel would be a message for nothing."""
    first: dict[str, int] = {}
    for entry in sends.each() if sends else ():
        if (channel := entry.find("channel")) is None:
            continue
        if channel.data in first:
            message = f"channel: '{channel.data}' is there twice in one `send`, already on line {first[channel.data]}"
            hint = "the second would pass under the cap slot of the first: a series is a journey"
            report.error(channel.node, "channel-twice", message, hint)
        first.setdefault(channel.data, channel.node.line)


def _unique_variants(source: Value, report: Report) -> None:
    seen = set()
    for variant in variants_in(source):
        name = variant.plain("name")
        if name in seen:
            report.error(
                variant["name"].node, "duplicate-variant", f"name: there are two variants '{name}'", "rename one"
            )
        seen.add(name)
