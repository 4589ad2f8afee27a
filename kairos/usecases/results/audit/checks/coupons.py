"""No code given twice, none lost: what decisions carry, against what has gone and against where codes are kept.

A code may go out again once every message that carried it has failed. An occurrence has one code of a pool, whatever
its attempts; the messages of one journey run share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import Kept, World

_OUT = """
SELECT c.pool, c.code, c.holder, c.user_id, min(c.key) FROM codes c JOIN sends s ON s.key = c.key
WHERE s.gone OR s.open GROUP BY c.pool, c.code, c.holder ORDER BY {order}"""
"""Codes that are with somebody, or on their way. `holder`: `<activity>/<occurrence>/<user>`."""


def check(book: Book, world: World, result: Result) -> None:
    out = list(book.ask(_OUT.format(order="c.pool, c.code")))
    for (pool, code), rows in groupby(out, itemgetter(0, 1)):
        holders = [(row[2], row[4]) for row in rows]
        if len(holders) > 1:
            who = " and ".join(holder for holder, _ in holders)
            result.add(f"{pool}: the code {code} went to {who}", *(key for _, key in holders))
    for (pool, holder), rows in groupby(sorted(out, key=itemgetter(0, 2)), itemgetter(0, 2)):
        codes = [(row[1], row[4]) for row in rows]
        if len(codes) > 1:
            named = ", ".join(code for code, _ in codes)
            result.add(f"{pool}: {holder} has {len(codes)} codes: {named}", *(key for _, key in codes))
    _check_per_user(out, world, result)
    for pool, kept in (world.coupons or {}).items():
        _check_kept(pool, kept, book, world, result)
    result.examined = {"codes given out": len(out), "pools looked into": len(world.coupons or {})}


def _check_per_user(out: list[tuple[str, ...]], world: World, result: Result) -> None:
    limits = world.releases[-1].rules.coupons if world.releases else {}
    for (pool, user), rows in groupby(sorted(out, key=itemgetter(0, 3)), itemgetter(0, 3)):
        found, most = list(rows), limits[pool].per_user if pool in limits else None
        if most is not None and len(found) > most:
            result.add(f"{pool}: {user} has {len(found)} codes of {most}", *(row[4] for row in found))


def _check_kept(pool: str, kept: Kept, book: Book, world: World, result: Result) -> None:
    """What lies in the store was read before the decisions: whatever was taken then has been decided by now, but for
    what was on its way from the job to its topic."""
    if kept.known != kept.free + len(kept.held):
        lost = kept.known - kept.free - len(kept.held)
        result.add(f"{pool}: {lost} of {kept.known} codes are neither free nor taken")
    carried = set(book.ask("SELECT code, holder FROM codes WHERE pool = ?", pool))
    alive = set(_alive(book, pool))
    for code, holder in kept.held:
        if (code, holder) not in carried:
            if world.now is None:
                result.add(f"{pool}: the code {code} is held by {holder}, of whom no decision tells")
            else:
                result.not_judged["codes whose decision may be on its way"] += 1
        elif world.now is None and (code, holder) not in alive:
            result.add(f"{pool}: the code {code} of {holder} never went, and has not come back")
    held = set(kept.held)
    for code, holder in sorted(alive - held):
        if world.now is None:
            result.add(f"{pool}: the code {code} went to {holder}, and the pool does not know")


def _alive(book: Book, pool: str) -> Iterator[tuple[str, str]]:
    rows = book.ask(
        "SELECT DISTINCT c.code, c.holder FROM codes c JOIN sends s ON s.key = c.key "
        "WHERE c.pool = ? AND (s.gone OR s.open)", pool,
    )  # fmt: skip
    yield from ((code, holder) for code, holder in rows)
