"""What an audit found: for people, one line a check and the evidence below it; for programs, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from kairos.apps.view.terminal import escape, fitted, paint, terminal_width
from kairos.usecases.results.audit.audit import Audit, Evidence, Finding
from kairos.usecases.results.audit.tell import clock

_TIMES = ("at", "started_at", "ended_at", "reserved_at", "settled_at", "lease_until")
_SHOWN = {
    "decisions": ("decided", ("outcome", "activity", "user_id", "at", "channel", "reason", "attempt", "occurrence",
                              "version", "origin")),
    "ledger": ("ledger", ("state", "channel", "reserved_at", "settled_at", "calls", "worker", "reason", "key")),
    "calls": ("call", ("number", "outcome", "started_at", "ended_at", "worker", "reason")),
}  # fmt: skip
_MARGIN, _TITLE = 9, 36
"""Columns of the mark, and of what a check is called; on a terminal the numbers of a longer name stand below it."""
_MOST_KEYS = 5
"""Deliveries told of one violation; JSON has them all."""


def show(audit: Audit, stream: TextIO) -> None:
    for line in _lines(audit, stream):
        stream.write(line + "\n")


def as_json(audit: Audit) -> dict[str, Any]:
    return {
        "clean": audit.clean,
        "read": dict(audit.places),
        "looked_at": dict(audit.looked_at),
        "unreadable": dict(audit.unreadable.counts),
        "checks": [_as_json(finding) for finding in audit.findings],
    }


def _as_json(finding: Finding) -> dict[str, Any]:
    result = finding.result
    return {
        "check": finding.check,
        "examined": result.examined,
        "exempt": dict(result.exempt),
        "not_judged": dict(result.not_judged),
        "violations": result.count,
        "evidence": [{"what": each.violation.what, **each.found} for each in finding.evidence],
    }


def _lines(audit: Audit, stream: TextIO) -> Iterator[str]:
    for what, where in audit.places.items():
        yield f"{what:<9} {escape(where)}"
    yield fitted(f"looked at {_counts(audit.looked_at)}", hang=10)
    for topic, number in audit.unreadable.counts.items():
        yield paint(f"unreadable: {number:,} in {topic}, passed over", "warning", stream)
    for origin, why in audit.unreadable.first:
        yield paint(f"  {escape(origin)}: {escape(why)}", "warning", stream)
    yield ""
    for finding in audit.findings:
        yield from _finding(finding, stream)
    yield ""
    yield _verdict(audit, stream)


def _finding(finding: Finding, stream: TextIO) -> Iterator[str]:
    result = finding.result
    mark = paint("FOUND", "error", stream) if result.count else paint("ok   ", "good", stream)
    counts = _counts(result.examined)
    if len(finding.title) > _TITLE and terminal_width() is not None:
        yield f"  {mark}  {finding.title}"
        yield fitted(f"{'':<{_MARGIN + _TITLE}} {counts}", hang=_MARGIN + _TITLE + 1)
    else:
        told = fitted(f"{'':<{_MARGIN}}{finding.title:<{_TITLE}} {counts}", hang=_MARGIN + _TITLE + 1)
        yield f"  {mark}  {told[_MARGIN:]}"
    for what, number in result.exempt.items():
        yield f"         exempt: {number:,} {what}"
    for what, number in result.not_judged.items():
        yield paint(f"         not judged: {number:,} {what}", "warning", stream)
    for evidence in finding.evidence:
        yield from _evidence(evidence, stream)
    if result.count > len(finding.evidence):
        yield f"         and {result.count - len(finding.evidence):,} more (--show)"


def _evidence(evidence: Evidence, stream: TextIO) -> Iterator[str]:
    yield paint(fitted(f"         {escape(evidence.violation.what)}", hang=11), "error", stream)
    keys = evidence.violation.keys
    for key in keys[:_MOST_KEYS]:
        for table, (kind, names) in _SHOWN.items():
            for row in evidence.found[table]:
                if row["key"] == key:
                    told = " ".join(f"{name}={_value(name, row[name])}" for name in names if name in row)
                    yield fitted(f"           {kind:<8} {escape(told)}", hang=20)
    if len(keys) > _MOST_KEYS:
        yield f"           and {len(keys) - _MOST_KEYS:,} more deliveries (--format json)"


def _value(name: str, value: Any) -> str:
    return clock(value).replace("+00:00", "Z") if name in _TIMES else str(value)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {_one(what) if number == 1 else what}" for what, number in counts.items())


def _one(what: str) -> str:
    """`units used up` -> `unit used up`."""
    words = (f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s") for word in what.split(" "))
    return " ".join(words)


def _verdict(audit: Audit, stream: TextIO) -> str:
    found = sum(finding.result.count for finding in audit.findings)
    if found:
        return paint(f"not clean: {found:,} {'violation' if found == 1 else 'violations'}", "error", stream)
    if not audit.looked_at["sends"] and not audit.looked_at["ledger rows"]:
        return paint("nothing to judge: 0 sends were decided, and the ledger is empty", "warning", stream)
    return paint("clean", "good", stream)
