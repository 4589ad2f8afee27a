"""`sources.yaml`: what may be written there already and is applied by nothing yet."""

from __future__ import annotations

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report


def check_sources(sources: Value, report: Report) -> None:
    """`map` and `identity` are the access layer's, which reads foreign events; the engine takes them as they come."""
    for _, source in sources.items():
        if (mapped := source.find("map")) and mapped.data and not mapped.broken:
            _not_yet(report, source.keys["map"], "map: nothing reads a format of its own yet")
        if (identity := source.find("identity")) and identity.data != "user_id" and not identity.broken:
            _not_yet(report, source.keys["identity"], "identity: nothing looks users up yet")


def _not_yet(report: Report, key: Node, message: str) -> None:
    hint = "until a gateway or bridge applies it, send events that are envelopes already, with their user_id"
    report.warning(key, "not-applied-yet", message, hint)
