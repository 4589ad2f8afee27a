"""One audit: everything into the book, all checks over it, the evidence out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kairos.adapters.decision_log import DecisionLog
from kairos.adapters.ledger_reader import LedgerReader
from kairos.apps.audit.book import Book
from kairos.apps.audit.checks import CHECKS
from kairos.apps.audit.result import Check, Result, Violation
from kairos.apps.audit.world import World
from kairos.engine.rule.release import Release

TABLES = ("decisions", "ledger", "calls")


@dataclass(frozen=True)
class Evidence:
    """`found`: the rows that prove it, by table."""

    violation: Violation
    found: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Finding:
    check: Check
    result: Result
    evidence: Sequence[Evidence]


@dataclass(frozen=True)
class Audit:
    """`looked_at`: what -> how many."""

    looked_at: Mapping[str, int]
    findings: Sequence[Finding]

    @property
    def clean(self) -> bool:
        return not any(finding.result.count for finding in self.findings)


@dataclass(frozen=True)
class Given:
    """What is known beside decisions and ledger; as in `World`."""

    releases: Sequence[Release]
    profile: Callable[[str], Mapping[str, Any] | None]
    resends: Callable[[str], bool]
    now: int | None


def audit(log: DecisionLog, ledger: LedgerReader, given: Given, most: int) -> Audit:
    """At most `most` violations of each check come with their evidence. Raises what reading the two raises.

    The ledger is read first: whatever stands in it was decided before.
    """
    with Book() as book:
        paused = ledger.paused()
        book.add_ledger(ledger.rows())
        book.add_calls(ledger.calls())
        book.add_decisions(log.decisions())
        book.add_deliveries(log.deliveries())
        book.seal()
        known = (log.complete_since, log.complete_until)
        world = World(given.releases, given.profile, given.resends, given.now, *known, paused)
        return Audit(_looked_at(book, world), [_finding(check, book, world, most) for check in CHECKS])


def _finding(check: Check, book: Book, world: World, most: int) -> Finding:
    result = Result(most)
    check.run(book, world, result)
    return Finding(check, result, [_evidence(book, violation) for violation in result.violations])


def _evidence(book: Book, violation: Violation) -> Evidence:
    found = {table: [row for key in violation.keys for row in book.rows(table, key)] for table in TABLES}
    return Evidence(violation, found)


def _looked_at(book: Book, world: World) -> dict[str, int]:
    return {
        "decisions": book.number("SELECT count(*) FROM decisions"),
        "sends": book.number("SELECT count(*) FROM sends"),
        "users": book.number("SELECT count(DISTINCT user_id) FROM sends"),
        "ledger rows": book.number("SELECT count(*) FROM ledger"),
        "calls": book.number("SELECT count(*) FROM calls"),
        "releases": len(world.releases),
    }
