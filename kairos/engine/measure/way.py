"""Reach of a journey: who came in, what each message lost, how they left. Its messages are activities of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.measure.ask import Ask, CannotAsk, Row, rate, sorted_groups
from kairos.engine.measure.entries import Subject, entries_sql, records_sql

LEFT = "left"
"""The part of a journey that its end is recorded as."""
ENTERED, INSIDE, GOAL, STILL = "entered", "let in", "goal", "still inside"


def base(rows: Sequence[Mapping[str, Any]], place: int) -> Mapping[str, Any] | None:
    """The row that a row is a share of: what is sent, of those who came to this message; an end and the goal, of those
    who were let in."""
    step = str(rows[place]["step"])
    if step == ENTERED:
        return None
    name = ENTERED if step == INSIDE else f"at {step.removesuffix(' sent')}" if step.endswith(" sent") else INSIDE
    return next((row for row in reversed(rows[:place]) if row["step"] == name), None)


def way(ask: Ask, subject: Subject) -> list[Row]:
    """Rows as of `reach`: `entered`, `let in` (without the control group), each message in the order in which people
    come to it, twice (who came to it, and who was sent it), each end, `still inside`, and the goal of those let in."""
    if ask.by in ("variant", "channel"):
        raise CannotAsk(f"a journey has no {ask.by}: its messages have, as in reach/{subject.name}.STEP")
    found: dict[object, dict[str, _Counted]] = defaultdict(dict)
    lost: dict[object, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for g, kind, name, reason, occurrences, users, waited in ask.query(_sql(ask, subject)):
        if kind == "lost":
            lost[g][name][reason] = occurrences
        else:
            found[g][_label(kind, name)] = (kind, name, occurrences, users, waited / occurrences)
    if ask.by is None:
        found[0]  # nobody entered: the first two rows all the same
    return [ask.labelled(g, row) for g in sorted_groups(found) for row in _rows(subject.name, found[g], lost[g])]


_Counted = tuple[str, str, int, int, float]
"""Kind, name, occurrences, users, and how long after the entry, on average."""


def _label(kind: str, name: str) -> str:
    return {"came": f"at {name}", "sent": f"{name} sent", "end": f"{LEFT}: {name}"}.get(kind, kind)


def _rows(journey: str, found: dict[str, _Counted], lost: dict[str, dict[str, int]]) -> list[Row]:
    came = sorted((one for one in found.values() if one[0] == "came"), key=lambda one: (one[4], one[1]))
    ends = sorted((one for one in found.values() if one[0] == "end"), key=lambda one: (-one[2], one[1]))
    steps = [ENTERED, INSIDE, *(step for one in came for step in (f"at {one[1]}", f"{one[1]} sent"))]
    steps += [_label(*one[:2]) for one in ends] + [step for step in (STILL,) if step in found] + [GOAL]
    rows: list[Row] = []
    for step in steps:
        _, _, occurrences, users, _ = found.get(step, ("", "", 0, 0, 0.0))
        of = step.removesuffix(" sent") if step.endswith(" sent") else "" if step == INSIDE else None
        reasons = lost.get(of, {}) if of is not None else {}
        row: dict[str, Any] = {"activity": journey, "step": step, "occurrences": occurrences, "users": users}
        row |= {"of_previous": None, "lost": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))}
        rows.append(row)
    for place, row in enumerate(rows):
        whole = base(rows, place)
        row["of_previous"] = None if whole is None else rate(row["occurrences"], whole["occurrences"])
    return rows


def _sql(ask: Ask, subject: Subject) -> str:
    """(g, kind, name, reason, occurrences, users, ms after the entry in all)."""
    join, group = ask.groups("e.user_id", ask.clock.day("e.entry_ms"))
    join = f"{ask.clock.join('e.user_id')} {join}" if ask.by == "week" else join
    last = "at_ms * 1000 + CASE outcome WHEN 'hold' THEN 0 ELSE 500 END + least(attempt, 99)"
    same = "p.user_id = e.user_id AND p.occurrence = e.occurrence"
    begins = len(subject.name) + 2
    return f"""
WITH e AS (SELECT {group} AS g, e.user_id, e.occurrence, e.entry_ms, e.is_control
    FROM ({entries_sql(ask, subject)}) e {join} WHERE {ask.in_range("e.entry_ms")}),
parts AS (SELECT user_id, occurrence, substr(activity, {begins}) AS step, attempt, outcome, at_ms,
    coalesce(reason, '') AS reason, kairos_text(kairos_json(data, '$.reason')) AS ended
    FROM decisions WHERE starts_with(activity, {quoted(subject.name + ".")}) AND at_ms <= {ask.as_of}
    AND NOT coalesce(shadow, false) AND outcome NOT IN ('regret', 'goal')),
messages AS (SELECT user_id, occurrence, step, min(at_ms) AS at_ms,
    max(CASE WHEN outcome = 'send' THEN 1 ELSE 0 END) AS sent,
    max_by(CASE WHEN outcome = 'hold' THEN 'held' ELSE reason END, {last}) AS reason
    FROM parts WHERE step <> '{LEFT}' GROUP BY user_id, occurrence, step),
ends AS (SELECT user_id, occurrence, coalesce(min(ended), '') AS ended, min(at_ms) AS at_ms
    FROM parts WHERE step = '{LEFT}' GROUP BY user_id, occurrence),
goals AS (SELECT DISTINCT user_id, occurrence FROM ({records_sql(ask, subject.name)}) r WHERE outcome = 'goal'),
o AS (SELECT g, '{ENTERED}' AS kind, '' AS name, '' AS reason, user_id, 0 AS waited FROM e
    UNION ALL SELECT g, '{INSIDE}', '', '', user_id, 0 FROM e WHERE is_control = 0
    UNION ALL SELECT g, 'lost', '', 'control', user_id, 0 FROM e WHERE is_control = 1
    UNION ALL SELECT g, 'came', p.step, '', e.user_id, p.at_ms - e.entry_ms FROM e JOIN messages p ON {same}
    UNION ALL SELECT g, 'sent', p.step, '', e.user_id, 0 FROM e JOIN messages p ON {same} WHERE p.sent = 1
    UNION ALL SELECT g, 'lost', p.step, p.reason, e.user_id, 0 FROM e JOIN messages p ON {same} WHERE p.sent = 0
    UNION ALL SELECT g, 'end', p.ended, '', e.user_id, 0 FROM e JOIN ends p ON {same}
    UNION ALL SELECT g, '{STILL}', '', '', e.user_id, 0 FROM e LEFT JOIN ends p ON {same}
        WHERE e.is_control = 0 AND p.user_id IS NULL
    UNION ALL SELECT g, '{GOAL}', '', '', e.user_id, 0 FROM e JOIN goals p ON {same} WHERE e.is_control = 0)
SELECT g, kind, name, reason, count(*), count(DISTINCT user_id), sum(waited) FROM o GROUP BY g, kind, name, reason"""
