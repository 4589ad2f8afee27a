"""Findings inside a template, by their offset in its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kairos.engine.rule.text.report import Report


@dataclass(frozen=True)
class TemplatePlaces:
    """`texts`: the templates by key, "name.channel" or a partial's name; `reports`: by path."""

    texts: Mapping[str, str]
    reports: Mapping[str, Report]

    def report(self, key: str) -> Report:
        return self.reports[f"templates/{key}.liquid"]

    def at(
        self, key: str, offset: int, level: Literal["error", "warning"], code: str, message: str, hint: str | None
    ) -> None:
        line, column = line_and_column(self.texts[key], offset)
        self.report(key).at(line, column, level, code, message, hint)

    def error(self, key: str, offset: int, code: str, message: str, hint: str | None = None) -> None:
        self.at(key, offset, "error", code, message, hint)

    def warning(self, key: str, offset: int, code: str, message: str, hint: str | None = None) -> None:
        self.at(key, offset, "warning", code, message, hint)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both count from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
