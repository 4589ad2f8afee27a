"""Fields of an activity that exclude or repeat each other, names that are taken."""

from __future__ import annotations

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.template_facts import ROOTS
from kairos.engine.rule.text.report import Report


def check_shape(draft: Draft) -> None:
    source, report = draft.source, draft.report
    if "send" in source.keys and "variants" in source.keys:
        message = "'send' and 'variants' exclude each other: variants have a send of their own"
        report.error(source.keys["variants"], "too-many-kinds", message, "keep one")
    _unique_variants(source.find("variants"), report)
    for place in (source, *(entry for _, entry in draft.sends())):
        _check_data(place.find("data"), report)


def _check_data(data: Value | None, report: Report) -> None:
    """What templates read under these names is something else."""
    for name in ROOTS:
        if data and name in data:
            message = f"data: '{name}' is taken: in a template it means the {name} itself"
            report.error(data.keys[name], "reserved-name", message, "give it another name")


def _unique_variants(variants: Value | None, report: Report) -> None:
    seen = set()
    for variant in variants.each() if variants else ():
        name = variant.plain("name")
        if name in seen:
            report.error(
                variant["name"].node, "duplicate-variant", f"name: there are two variants '{name}'", "rename one"
            )
        seen.add(name)
