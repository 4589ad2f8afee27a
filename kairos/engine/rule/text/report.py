"""Where findings are collected: one report a file, and the words that its messages share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from kairos.engine.rule.finding import Finding
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.place import place_in_scalar

SHOWN = 40
_PASSWORD = re.compile(r"://.*", re.DOTALL)


@dataclass
class Report:
    """The findings of one file. `text` is the decoded file, to find a place inside a multi-line scalar."""

    file: str
    text: str = ""
    findings: list[Finding] = field(default_factory=list)
    _said: set[Finding] = field(default_factory=set)

    def error(self, node: Node, code: str, message: str, hint: str | None = None) -> None:
        self.at(node.line, node.column, "error", code, message, hint)

    def warning(self, node: Node, code: str, message: str, hint: str | None = None) -> None:
        self.at(node.line, node.column, "warning", code, message, hint)

    def inside(
        self, node: Node, offset: int, level: Literal["error", "warning"], code: str, message: str, hint: str | None
    ) -> None:
        """A finding `offset` characters into the value of a scalar."""
        self.at(*place_in_scalar(self.text, node, offset), level, code, message, hint)

    def at(
        self,
        line: int,
        column: int,
        level: Literal["error", "warning"],
        code: str,
        message: str,
        hint: str | None = None,
    ) -> None:
        """The same place and message twice (an alias read twice) is one finding."""
        self.add(Finding(self.file, line, column, level, code, message, hint))

    def add(self, finding: Finding) -> None:
        if finding not in self._said:
            self._said.add(finding)
            self.findings.append(finding)

    @property
    def failed(self) -> bool:
        return any(finding.level == "error" for finding in self.findings)


def shown(text: str) -> str:
    """A value for a message: quoted, control characters escaped, cut short, what may hold a password left out."""
    text = _PASSWORD.sub("://...", text)
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "..."
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut) + "'"


def listed(words: Iterable[str], joint: str = "or") -> str:
    """`a, b or c`; `none` of no words."""
    *head, last = list(words) or ["none"]
    return f"{', '.join(head)} {joint} {last}" if head else last


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """`did you mean ...?`, or None where nothing is near."""
    candidates = list(known)
    found = difflib.get_close_matches(word[:100], candidates, 1, likeness)
    found = found or [c for c in candidates if c.lower() == word.lower()]
    return f"did you mean '{found[0]}'?" if found else None
