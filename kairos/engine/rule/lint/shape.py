"""Fields of an activity that exclude or repeat each other."""

from __future__ import annotations

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report


def check_shape(draft: Draft) -> None:
    source, report = draft.source, draft.report
    if "send" in source.keys and "variants" in source.keys:
        message = "'send' and 'variants' exclude each other: variants have a send of their own"
        report.error(source.keys["variants"], "too-many-kinds", message, "keep one")
    _unique_variants(source.find("variants"), report)
    if not (source.keys.keys() & {"send", "variants"}):
        _idle_in_a_watch(draft)


def _unique_variants(variants: Value | None, report: Report) -> None:
    seen = set()
    for variant in variants.each() if variants else ():
        name = variant.plain("name")
        if name in seen:
            report.error(
                variant["name"].node, "duplicate-variant", f"name: there are two variants '{name}'", "rename one"
            )
        seen.add(name)


def _idle_in_a_watch(draft: Draft) -> None:
    """A watch contacts nobody: of the limits only `once` applies."""
    limits = draft.source.find("limits")
    for key in ("budget", "send_before", "quiet_hours"):
        if limits and key in limits:
            message = f"{key}: without 'send' this activity is a watch, to which it does not apply"
            draft.report.warning(limits.keys[key], "idle-field", message, "add `send`, or remove it")
