"""Crowds that are defined by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.text.report import Report


def check_cycles(crowds: Value, mentions: Mapping[str, set[str]], report: Report) -> None:
    """`mentions`: crowd -> crowds that its definition asks. Each crowd on a cycle is told the way round."""
    for name in crowds.data:
        if way := _way_back(name, mentions):
            message = f"crowd '{name}' is defined by itself, a cycle: {' -> '.join(way)}"
            report.error(crowds.keys[name], "crowd-cycle", message, "break the cycle: a crowd asks only others")


def _way_back(start: str, mentions: Mapping[str, set[str]]) -> list[str] | None:
    """The shortest way from a crowd to itself."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for name in sorted(mentions.get(way[-1], ())):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return None
