"""`kairos audit`: everything into the book, all checks over it, the evidence out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kairos.adapters.decoding import Unreadable
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.checks import CHECKS
from kairos.usecases.results.audit.inputs import Asked, Inputs, open_inputs
from kairos.usecases.results.audit.result import Check, Result, Violation
from kairos.usecases.results.audit.world import World, pools_in

TABLES = ("decisions", "ledger", "calls")


@dataclass(frozen=True)
class Evidence:
    """`found`: the rows that prove it, by table."""

    violation: Violation
    found: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Finding:
    """What one check has found. `title`: what must hold."""

    check: str
    title: str
    result: Result
    evidence: Sequence[Evidence]


@dataclass(frozen=True)
class Audit:
    """`places`: what was read -> where it is. `looked_at`: what -> how many. `unreadable`: what is in the log and is no
    record of it."""

    places: Mapping[str, str]
    looked_at: Mapping[str, int]
    unreadable: Unreadable
    findings: Sequence[Finding]

    @property
    def clean(self) -> bool:
        return not any(finding.result.count for finding in self.findings)


def audit(asked: Asked, most: int) -> Audit:
    """At most `most` violations of each check come with their evidence. Raises KairosErrors of what cannot be read."""
    with open_inputs(asked) as inputs:
        return judge(inputs, most)


def judge(inputs: Inputs, most: int) -> Audit:
    """Runs all checks over what was read. The ledger is read first: whatever stands in it was decided before."""
    log, ledger, given = inputs.log, inputs.ledger, inputs.given
    with Book() as book:
        paused = ledger.paused()
        book.add_ledger(ledger.rows())
        book.add_calls(ledger.calls())
        book.add_decisions(log.decisions(), pools_in(given.releases))
        book.add_deliveries(log.deliveries())
        book.seal()
        known = (log.complete_since, log.complete_until)
        losses = list(log.losses())
        world = World(
            given.releases, given.profile, given.resends, given.now, *known, paused, losses, given.log, given.coupons
        )
        findings = [_finding(check, book, world, most) for check in CHECKS]
        return Audit(inputs.places, _looked_at(book, world), log.unreadable, findings)


def _finding(check: Check, book: Book, world: World, most: int) -> Finding:
    result = Result(most)
    check.run(book, world, result)
    return Finding(check.name, check.title, result, [_evidence(book, violation) for violation in result.violations])


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
