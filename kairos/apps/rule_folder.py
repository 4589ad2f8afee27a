"""Loading a rule folder for a command: findings are shown, and an error ends the command where it needs valid rules."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import typer

from kairos.adapters.rule_files import read_folder
from kairos.apps.console import fail, need_folder, paint, say
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.load import Loaded, load
from kairos.engine.rule.model import RuleSet


def load_folder(path: Path) -> Loaded:
    """Everything that lint knows of the folder. A missing or unreadable folder ends the command."""
    need_folder(path, "the rule folder")
    try:
        return load(read_folder(path), today=time.time_ns() // 1_000_000)
    except OSError as error:
        fail(f"the rule folder {path}: {error.filename or ''}: {(error.strerror or str(error)).lower()}")


def valid_rules(path: Path) -> tuple[RuleSet, Loaded]:
    """The rules, or the findings on standard error and exit 2."""
    loaded = load_folder(path)
    if loaded.rules is None:
        show_findings(path, loaded.findings, sys.stderr)
        say(summary(loaded.findings))
        raise typer.Exit(2)
    return loaded.rules, loaded


def show_findings(path: Path, findings: Iterable[Finding], stream: TextIO) -> None:
    """One line each; the file's path as the reader can open it."""
    for finding in findings:
        place = f"{path / finding.file}:{finding.line}:{finding.column}:"
        hint = f"; {finding.hint}" if finding.hint else ""
        code = paint(f"[{finding.code}]", "dim", stream)
        stream.write(f"{place} {paint(finding.level, finding.level, stream)}: {finding.message}{hint} {code}\n")


def summary(findings: list[Finding]) -> str:
    errors = sum(finding.level == "error" for finding in findings)
    return f"{count(errors, 'error')}, {count(len(findings) - errors, 'warning')}"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 error`, `12,000 errors`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
