"""Reach: from entry to goal, and where people are lost, by occurrence and by user."""

from __future__ import annotations

from collections import defaultdict

from kairos.engine.measure.ask import Ask, Row, rate, sorted_groups
from kairos.engine.measure.entries import REACHED, Subject, entries_sql, receipts_sql, records_sql

STEPS = ("entered", "reachable", "send", *REACHED, "goal")
_RANKS = {status: rank for rank, status in enumerate(("unknown", *REACHED))}
_SEND = STEPS.index("send")
_LAST = """CASE WHEN outcome IN ('suppress', 'control') THEN at_ms * 1000 + 500 + least(attempt, 99)
    WHEN outcome = 'hold' THEN at_ms * 1000 + least(attempt, 99) ELSE 0 END"""
"""Orders what was said against sending; the latest tells what became of it."""


def reach(ask: Ask, subject: Subject) -> list[Row]:
    """A row a step. An occurrence is lost at the first step that it does not take, for the last reason that is known.

    `goal` counts occurrences that were sent, whatever receipts there are; `unknown` those of which nobody can tell.
    """
    counted: dict[object, list[int]] = defaultdict(lambda: [0] * (2 * (len(STEPS) + 1)))
    lost: dict[object, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for g, of_user, depth, reason, goal, unknown, number in ask.query(_sql(ask, subject)):
        flags = [depth >= place for place in range(len(STEPS) - 1)] + [goal == 1, unknown == 1]
        for place, flag in enumerate(flags):
            counted[g][2 * place + of_user] += number if flag else 0
        if not of_user and depth < _SEND:
            lost[g][depth + 1][reason] = lost[g][depth + 1].get(reason, 0) + number
    if ask.by is None:
        counted[0]  # nobody entered: a row a step all the same
    return [ask.labelled(g, row) for g in sorted_groups(counted) for row in _rows(subject.name, counted[g], lost[g])]


def _rows(activity: str, counts: list[int], lost: dict[int, dict[str, int]]) -> list[Row]:
    """`counts`: occurrences and users in turn, of each step and of `unknown`."""
    rows: list[Row] = []
    before = None
    for place, step in enumerate(STEPS):
        occurrences, users = counts[2 * place : 2 * place + 2]
        row = {"activity": activity, "step": step, "occurrences": occurrences, "users": users}
        row["of_previous"] = None if before is None else rate(occurrences, before)
        row["lost"] = dict(sorted(lost.get(place, {}).items(), key=lambda item: (-item[1], item[0])))
        rows.append(row)
        before = occurrences
    occurrences, users = counts[-2:]
    unknown = {"activity": activity, "step": "unknown", "occurrences": occurrences, "users": users}
    return [*rows, {**unknown, "of_previous": None, "lost": {}}]


def _sql(ask: Ask, subject: Subject) -> str:
    """(g, 0 of occurrences and 1 of users, depth, lost, goal, unknown, so many): of a user, the furthest."""
    return f"""{_occurrences_sql(ask, subject)}
SELECT g, 0, depth, lost, goal, unknown, count(*) FROM o GROUP BY g, depth, lost, goal, unknown
UNION ALL SELECT g, 1, depth, NULL, goal, unknown, count(*) FROM (
    SELECT g, user_id, max(depth) AS depth, max(goal) AS goal, max(unknown) AS unknown FROM o GROUP BY g, user_id) u
GROUP BY g, depth, goal, unknown"""


def _occurrences_sql(ask: Ask, subject: Subject) -> str:
    """`o`, a row an occurrence: g, user_id, depth (the last step in STEPS that it took), lost (why no further, where it
    was not sent), goal, unknown."""
    ranks = " ".join(f"WHEN '{status}' THEN {rank}" for status, rank in _RANKS.items())
    join, group = _group(ask, subject)
    return f"""
WITH records AS ({records_sql(ask, subject.name)}),
entries AS ({entries_sql(ask, subject)}),
ends AS (SELECT user_id, occurrence, max(CASE WHEN outcome = 'send' THEN 1 ELSE 0 END) AS sent,
    max(CASE WHEN outcome = 'goal' THEN 1 ELSE 0 END) AS goal,
    max(CASE WHEN outcome = 'send' THEN channel END) AS channel,
    max_by(outcome, {_LAST}) AS outcome, max_by(coalesce(reason, ''), {_LAST}) AS reason
    FROM records GROUP BY user_id, occurrence),
heard AS (SELECT user_id, occurrence, max(CASE status {ranks} ELSE -1 END) AS best
    FROM ({receipts_sql(ask, subject.name)}) r GROUP BY user_id, occurrence),
o AS (SELECT {group} AS g, e.user_id,
    CASE WHEN s.sent = 1 THEN {_SEND} + CASE WHEN h.best > 0 THEN h.best ELSE 0 END
         WHEN e.is_control = 1 OR (s.outcome = 'suppress' AND s.reason = 'unreachable') THEN 0 ELSE 1 END AS depth,
    CASE WHEN e.is_control = 1 THEN 'control' WHEN s.outcome = 'hold' THEN 'held' ELSE s.reason END AS lost,
    CASE WHEN s.sent = 1 AND s.goal = 1 THEN 1 ELSE 0 END AS goal,
    CASE WHEN s.sent = 1 AND h.best = 0 THEN 1 ELSE 0 END AS unknown
    FROM entries e JOIN ends s ON s.user_id = e.user_id AND s.occurrence = e.occurrence
    LEFT JOIN heard h ON h.user_id = e.user_id AND h.occurrence = e.occurrence {join}
    WHERE {ask.in_range("e.entry_ms")})"""


def _group(ask: Ask, subject: Subject) -> tuple[str, str]:
    if ask.by in ("variant", "channel"):
        return "", "e.variant" if ask.by == "variant" else "s.channel"
    join, group = ask.groups("e.user_id", ask.clock.day("e.entry_ms"))
    return (f"{ask.clock.join('e.user_id')} {join}" if ask.by == "week" else join), group
