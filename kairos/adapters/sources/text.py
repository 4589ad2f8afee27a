"""The text of sources.yaml, or of one record of it, read as the rule loader reads it: same checks, same messages."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.rule.fields.reading.read import read
from kairos.engine.rule.fields.sources import SOURCES
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.lower.folder import lower_sources
from kairos.engine.rule.model import EventSchema, Source
from kairos.engine.rule.text.decode import decode
from kairos.engine.rule.text.nodes import YamlError, read_yaml
from kairos.engine.rule.text.report import Report
from kairos.errors import KairosError


class SourceTextError(KairosError):
    """`findings` say what is wrong, and where."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def read_sources(content: bytes, file: str) -> dict[str, Source]:
    """name -> source. Raises SourceTextError."""
    report = Report(file)
    found = None
    try:
        report.text = decode(content)
        root = read_yaml(report.text)
        found = None if root is None else read(root, SOURCES, report, "sources")
        if root is None:
            report.at(1, 1, "error", "empty", "there is no source in it", "expected name: {events: ...}")
    except YamlError as error:
        report.at(error.line, error.column, "error", error.code, error.message, error.hint)
    if found is None or report.failed:
        raise SourceTextError([finding for finding in report.findings if finding.level == "error"])
    return lower_sources(found)


def write_source(source: Source) -> str:
    """One record as JSON, which is YAML too: `read_sources` makes the same source of it."""
    record: dict[str, Any] = {
        "enabled": source.enabled,
        "identity": source.identity,
        "events": {name: _props(schema) for name, schema in source.events.items()},
    }
    if source.mapping is not None:
        time = {"from": source.mapping.get("time"), "unit": source.time_unit}
        record["map"] = source.mapping if source.time_unit == "ms" else {**source.mapping, "time": time}
    return msgspec.json.format(msgspec.json.encode({source.name: record}), indent=2).decode()


def _props(schema: EventSchema) -> dict[str, str]:
    return {prop: kind + ("!" if prop in schema.required else "") for prop, kind in schema.props.items()}
