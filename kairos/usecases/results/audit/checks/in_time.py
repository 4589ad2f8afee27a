"""Every call in its time: after its decision, from `not_before` to `send_before`, and ended after it began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import GRACE, World

_CALLS = """
SELECT c.key, c.number, c.started_at, c.ended_at, s.activity, s.user_id, s.at, d.not_before, d.send_before
FROM calls c LEFT JOIN sends s ON s.key = c.key LEFT JOIN deliveries d ON d.key = c.key"""
_SETTLED_EARLY = "SELECT key, activity, user_id, reserved_at, settled_at FROM ledger WHERE settled_at < reserved_at"


class _Called(NamedTuple):
    """`activity` None: nobody decided it, which another check says. `send_before` None: its delivery is not kept."""

    key: str
    number: int
    started_at: int
    ended_at: int | None
    activity: str | None
    user_id: str | None
    at: int | None
    not_before: int | None
    send_before: int | None


def check(book: Book, world: World, result: Result) -> None:
    judged = 0
    for call in (_Called(*row) for row in book.ask(_CALLS)):
        judged += 1
        if call.activity is not None and call.send_before is None:
            result.not_judged["calls without a delivery that says until when they might begin"] += 1
        for problem in _problems(call):
            who = f"{call.activity} for {call.user_id}: " if call.activity is not None else ""
            result.add(f"{who}call {call.number} {problem}", call.key)
    for key, activity, user, reserved_at, settled_at in book.ask(_SETTLED_EARLY):
        result.add(f"{activity} for {user} was settled at {clock(settled_at)}, reserved at {clock(reserved_at)}", key)
    result.examined = {"calls": judged}


def _problems(call: _Called) -> Iterator[str]:
    began = f"began at {clock(call.started_at)}"
    if call.ended_at is not None and call.ended_at < call.started_at:
        yield f"{began} and ended at {clock(call.ended_at)}, before that"
    if call.at is not None and call.started_at < call.at - GRACE:  # the clocks of job and worker differ a little
        yield f"{began}, before the decision at {clock(call.at)}"
    elif call.not_before is not None and call.started_at < call.not_before:
        yield f"{began}, and not before {clock(call.not_before)} it might"
    if call.send_before is not None and call.started_at > call.send_before:
        yield f"{began}, and it might until {clock(call.send_before)} only"
