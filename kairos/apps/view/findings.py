"""What lint found, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from kairos.apps.view.terminal import count, paint
from kairos.engine.rule.finding import Finding


def show_findings(path: Path, findings: Iterable[Finding], stream: TextIO) -> None:
    """One line each; the file's path as the reader can open it."""
    for finding in findings:
        place = f"{path / finding.file}:{finding.line}:{finding.column}:"
        hint = f"; {finding.hint}" if finding.hint else ""
        code = paint(f"[{finding.code}]", "dim", stream)
        stream.write(f"{place} {paint(finding.level, finding.level, stream)}: {finding.message}{hint} {code}\n")


def summary(findings: Sequence[Finding]) -> str:
    errors = sum(finding.level == "error" for finding in findings)
    return f"{count(errors, 'error')}, {count(len(findings) - errors, 'warning')}"
