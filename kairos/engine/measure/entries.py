"""Entries: the first record of an occurrence, where it decides for or against sending and not about who may be asked.

Goal records never feed an effect: they start at the send, and exist for sent and control only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.measure.ask import Ask
from kairos.engine.measure.epochs import Arms, Epoch, epochs, islands_of
from kairos.engine.measure.spec import Happening

_REASONS = ("quiet_hours", "send_window", "unreachable", "missing_value", "not_worth", "duplicate_address", "budget")
_PREFIXES = ("cap:", "outranked:")
"""Of gates 6 to 10: the user was in it already. Those of the gates before never make an entry."""

REACHED = ("sent", "delivered", "read", "clicked")
"""Receipts, each of which implies those before it."""


@dataclass(frozen=True)
class Goal:
    """`steps`: step -> the event types that it takes; `event.where` may read them. `script`: its condition is
    JavaScript, which no warehouse runs."""

    event: Happening
    within: int
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    script: bool = False


@dataclass(frozen=True)
class Subject:
    """An activity as it is measured. `versions`: what each of them meant; `current`: those that nobody explains.

    `journey`: it is the entry of one, which is recorded as a match.
    """

    name: str
    current: Arms
    versions: Mapping[str, Arms] = field(default_factory=dict)
    goal: Goal | None = None
    theme: str | None = None
    plan: str | None = None
    journey: bool = False


def records_sql(ask: Ask, activity: str) -> str:
    """Its decisions up to `as_of`, but for shadows and regrets."""
    return f"""SELECT user_id, occurrence, attempt, outcome, at_ms, version, variant, reason, channel, steps,
    CASE WHEN rollout THEN 1 ELSE 0 END AS rollout
    FROM decisions WHERE activity = {quoted(activity)} AND at_ms <= {ask.as_of}
    AND NOT coalesce(shadow, false) AND outcome <> 'regret'"""


def entries_sql(ask: Ask, subject: Subject) -> str:
    """A row an occurrence; `is_control` is 1 or 0; `rolled_out`: the version, where that was in a rollout, else ''."""
    order = "at_ms * 1000 + CASE outcome WHEN 'hold' THEN 0 WHEN 'control' THEN 100 WHEN 'send' THEN 200 ELSE 300 END"
    first = f"{order} + least(attempt, 99)"
    reasons = ", ".join(quoted(reason) for reason in _REASONS)
    begins = "'send', 'hold', 'control'" + (", 'match'" if subject.journey else "")
    prefixes = " OR ".join(f"starts_with(reason, {quoted(prefix)})" for prefix in _PREFIXES)
    return f"""SELECT user_id, occurrence, entry_ms, version, nullif(variant, '') AS variant, steps,
    CASE WHEN outcome = 'control' THEN 1 ELSE 0 END AS is_control,
    CASE WHEN rollout = 1 THEN version ELSE '' END AS rolled_out
    FROM (SELECT user_id, occurrence, min(at_ms) AS entry_ms, min_by(outcome, {first}) AS outcome,
          min_by(coalesce(reason, ''), {first}) AS reason, min_by(coalesce(version, ''), {first}) AS version,
          min_by(rollout, {first}) AS rollout,
          min_by(coalesce(variant, ''), {first}) AS variant, min_by(coalesce(steps, '{{}}'), {first}) AS steps
          FROM ({records_sql(ask, subject.name)}) r WHERE outcome <> 'goal' GROUP BY user_id, occurrence) f
    WHERE outcome IN ({begins})
    OR (outcome = 'suppress' AND (reason IN ({reasons}) OR {prefixes}))"""


def epochs_of(ask: Ask, subject: Subject) -> list[Epoch]:
    """One where its arms never changed; none where nobody entered. Those of rollouts come after the others."""
    numbers = {arms: number for number, arms in enumerate(dict.fromkeys([subject.current, *subject.versions.values()]))}
    sql = f"""
WITH n AS (SELECT entry_ms, rolled_out, {_arms_sql(subject, numbers)} AS arms
           FROM ({entries_sql(ask, subject)}) e),
c AS (SELECT *, CASE WHEN lag(arms) OVER (PARTITION BY rolled_out ORDER BY entry_ms, arms) = arms THEN 0 ELSE 1 END
      AS changed FROM n),
i AS (SELECT arms, entry_ms, rolled_out, sum(changed) OVER (PARTITION BY rolled_out ORDER BY entry_ms, arms
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island FROM c)
SELECT rolled_out, arms, min(entry_ms), max(entry_ms) FROM i GROUP BY rolled_out, island, arms
ORDER BY rolled_out, island"""
    if len(numbers) == 1:
        entries = entries_sql(ask, subject)
        sql = f"SELECT rolled_out, 0, min(entry_ms), max(entry_ms) FROM ({entries}) e GROUP BY rolled_out ORDER BY 1"
    by_version: dict[str, list[tuple[int, int, int]]] = {}
    for version, number, first, last in ask.query(sql):
        by_version.setdefault(version, []).append((number, first, last))
    arms = {number: arms for arms, number in numbers.items()}
    plain = epochs(islands_of(by_version.pop("", []), arms))
    rollouts = [(islands_of(parts, arms), version) for version, parts in by_version.items()]
    rollouts.sort(key=lambda pair: (pair[0][0].first, pair[1]))
    beside = (
        Epoch(number, islands[0].arms, None, tuple(islands), version)
        for number, (islands, version) in enumerate(rollouts, len(plain) + 1)
    )
    return [*plain, *beside]


def _arms_sql(subject: Subject, numbers: Mapping[Arms, int]) -> str:
    cases = " ".join(f"WHEN {quoted(v)} THEN {numbers[arms]}" for v, arms in sorted(subject.versions.items()))
    return f"CASE version {cases} ELSE {numbers[subject.current]} END" if cases else str(numbers[subject.current])


def units_sql(ask: Ask, subject: Subject, found: list[Epoch]) -> str:
    """A row a user and epoch, with her first entry: epoch, user_id, entry_ms, steps, arm, and whether she was `merged`:
    had entries in several arms."""
    numbers = {arms: number for number, arms in enumerate(dict.fromkeys(epoch.arms for epoch in found))}
    epoch_sql = "1"
    if len(found) > 1:
        all_numbers = {arms: numbers.get(arms, -1) for arms in [subject.current, *subject.versions.values()]}
        arms = _arms_sql(subject, all_numbers)
        cases = " ".join(
            f"WHEN rolled_out = {quoted(epoch.rolled_out)} AND {arms} = {numbers[epoch.arms]} "
            f"AND entry_ms BETWEEN {part.first} AND {part.last} THEN {epoch.number}"
            for epoch in found
            for part in epoch.islands
        )
        epoch_sql = f"CASE {cases} END"
    first = "lpad(CAST(entry_ms AS VARCHAR), 13, '0') || occurrence"
    return f"""SELECT epoch, user_id, entry_ms, steps,
    CASE WHEN is_control = 1 THEN 'control' ELSE coalesce(variant, 'treated') END AS arm, merged
    FROM (SELECT epoch, user_id, min(entry_ms) AS entry_ms, min_by(steps, {first}) AS steps,
          min_by(is_control, {first}) AS is_control, max(variant) AS variant,
          CASE WHEN max(is_control) <> min(is_control) OR max(variant) <> min(variant) THEN 1 ELSE 0 END AS merged
          FROM (SELECT *, {epoch_sql} AS epoch FROM ({entries_sql(ask, subject)}) e) n GROUP BY epoch, user_id) r
    WHERE {ask.in_range("entry_ms")}"""


def receipts_sql(ask: Ask, activity: str) -> str:
    """Its receipts up to `as_of`; one that names no occurrence is about the user's latest send before it."""
    chosen = "attempt, status, time_ms, channel, segments"
    own = f"activity = {quoted(activity)} AND time_ms <= {ask.as_of}"
    return f"""SELECT user_id, occurrence, {chosen} FROM receipts WHERE {own} AND occurrence <> ''
    UNION ALL SELECT user_id, occurrence, {chosen} FROM (
        SELECT r.user_id, d.occurrence, r.attempt, r.status, r.time_ms, r.channel, r.segments,
        row_number() OVER (PARTITION BY r.user_id, r.attempt, r.status ORDER BY d.at_ms DESC, d.occurrence DESC) AS nth
        FROM (SELECT * FROM receipts WHERE {own} AND occurrence = '') r
        JOIN ({records_sql(ask, activity)}) d
        ON d.user_id = r.user_id AND d.outcome = 'send' AND d.at_ms <= r.time_ms) l WHERE nth = 1"""
