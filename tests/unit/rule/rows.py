"""Golden rows: edits of the base rule folder, and every finding that they must cause.

    activities/orders/order_unpaid.yaml: state: live => state: lived
      4:8 error bad-choice: state: expected draft, ...; did you mean 'live'?

Edits start a row: `FILE: OLD => NEW` (OLD stands once in the file), `FILE: += TEXT` appends, `FILE := TEXT` replaces
the file or makes it, `FILE: gone` removes it; `\\n`, `\\t` and the like are escapes. The indented lines are all
findings, in order: `[FILE:]LINE:COLUMN LEVEL CODE: MESSAGE[; HINT]`, where FILE is left out if it is that of the last
edit. `silent` says that there are none. `#` starts a comment line. Whatever cannot be read is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

BASE = Path(__file__).parent / "base"
TABLES = Path(__file__).parent / "lint"

_REPLACE = re.compile(r"(?P<file>\S+): (?P<old>.+?) => (?P<new>.*)")
_APPEND = re.compile(r"(?P<file>\S+): \+= (?P<new>.+)")
_WHOLE = re.compile(r"(?P<file>\S+) := ?(?P<new>.*)")
_GONE = re.compile(r"(?P<file>\S+): gone")
_FINDING = re.compile(r"  (?:(?P<file>\S+?):)?(?P<place>\d+:\d+) (?P<rest>(?:error|warning) [a-z-]+: .+)")


class UnreadableRow(Exception):
    pass


@dataclass
class Row:
    """`edits`: (file, operation, old, new); `findings`: as they must be said."""

    line: int
    edits: list[tuple[str, str, str, str]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    silent: bool = False

    @property
    def complete(self) -> bool:
        return bool(self.edits) and self.silent != bool(self.findings)

    def apply(self, files: dict[str, bytes]) -> dict[str, bytes]:
        changed = dict(files)
        for file, operation, old, new in self.edits:
            if operation == "gone":
                del changed[file]
                continue
            text = changed.get(file, b"").decode()
            if operation == "replace":
                if text.count(old) != 1:
                    raise UnreadableRow(f"line {self.line}: {old!r} stands {text.count(old)} times in {file}")
                text = text.replace(old, new)
            changed[file] = (text + new if operation == "append" else new if operation == "whole" else text).encode()
        return changed


def read_rows(table: Path) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            _read_finding(rows, line, number)
            continue
        if not rows or rows[-1].findings or rows[-1].silent:
            rows.append(Row(number))
        rows[-1].edits.append(_read_edit(line, number))
    for row in rows:
        if not row.complete:
            raise UnreadableRow(f"{table.name}:{row.line}: the row says no findings; write `silent` if there are none")
    return rows


def _read_edit(line: str, number: int) -> tuple[str, str, str, str]:
    for operation, form in (("gone", _GONE), ("append", _APPEND), ("replace", _REPLACE), ("whole", _WHOLE)):
        if found := form.fullmatch(line):
            parts = found.groupdict()
            return parts["file"], operation, _unescape(parts.get("old", "")), _unescape(parts.get("new", ""))
    raise UnreadableRow(f"line {number}: no edit: {line}")


def _read_finding(rows: list[Row], line: str, number: int) -> None:
    if not rows:
        raise UnreadableRow(f"line {number}: a finding before any edit")
    if line == "  silent":
        rows[-1].silent = True
    elif found := _FINDING.fullmatch(line):
        file = found["file"] or rows[-1].edits[-1][0]
        rows[-1].findings.append(f"{file}:{found['place']} {found['rest']}")
    else:
        raise UnreadableRow(f"line {number}: no finding: {line}")


def _unescape(text: str) -> str:
    return re.sub(r"\\(n|t|r|\\|u[0-9a-f]{4})", lambda m: m[0].encode().decode("unicode_escape"), text)
