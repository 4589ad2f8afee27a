"""The outcomes of an activity's users, for `lift` and `money`: what they did from the moment of entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kairos.engine.expression import parse
from kairos.engine.expression.sql.pieces import Sql, quoted
from kairos.engine.expression.sql.to_sql import condition_sql, number_sql
from kairos.engine.measure.ask import LATENESS, Ask, CannotAsk, EventColumns, Row, Rows, listed, sorted_groups
from kairos.engine.measure.entries import REACHED, Subject, epochs_of, receipts_sql, units_sql
from kairos.engine.measure.epochs import Epoch
from kairos.engine.measure.lift import lift_rows
from kairos.engine.measure.money import arms_of, money_row
from kairos.engine.measure.outcome import CONTROL, MoneyOutcome, MoneyTrial, Outcome, Trial
from kairos.engine.measure.spec import Costs, Happening, Lift, Money

BILLION = 1_000_000_000


class EntryColumns(EventColumns):
    """The names of a goal's `where`: the event's, and those of the steps of the entry `u`."""

    def __init__(self, ask: Ask, subject: Subject) -> None:
        super().__init__(ask.clock)
        self._steps = subject.goal.steps if subject.goal else {}
        self._joined: dict[str, str] = {}

    def step_prop(self, step: str, prop: str, which: str) -> Sql:
        alias = f"s_{step}_{which}"
        self._joined[alias] = self._join(alias, step, which)
        return Sql("json", f"kairos_json({alias}.props, '$.{prop}')")

    def step_count(self, step: str) -> Sql:
        return Sql("number", f"coalesce(CAST(kairos_length(kairos_json(u.steps, '$.{step}')) AS DOUBLE), 0e0)")

    def joins(self, user: str = "u.user_id") -> str:
        return " ".join([*self._joined.values(), self._clock.join(user) if self.local else ""])

    def _join(self, alias: str, step: str, which: str) -> str:
        place = f"kairos_last(u.steps, '$.{step}')" if which == "last" else f"kairos_json(u.steps, '$.{step}[0]')"
        types = listed(self._steps.get(step, ()))
        events = f"SELECT user_id, id, min(props) AS props FROM events WHERE type IN ({types}) GROUP BY user_id, id"
        return f"LEFT JOIN ({events}) {alias} ON {alias}.user_id = u.user_id AND {alias}.id = kairos_text({place})"


@dataclass(frozen=True)
class _Window:
    """What is counted of a user: [entry - before, entry) and (entry, entry + within), in ms."""

    within: int
    before: int = 0


def lift(ask: Ask, spec: Lift, subject: Subject) -> list[Row]:
    """A row an epoch; with `--by variant` one a variant."""
    event, within = _metric(spec, subject)
    found = epochs_of(ask, subject)
    if not found:
        return []
    hits = _hits_sql(ask, subject, event, _Window(within, spec.cuped or 0), spec.metric)
    rows = _unit_rows(ask, subject, found, within, [("hits", hits, ("y", "x"))])
    proportion = spec.metric in ("goal", "rate")
    scale = BILLION if spec.metric == "sum" else 1
    result = []
    for group, epoch, units, waiting in _by_epoch(ask, found, rows):
        outcomes = [Outcome(arm, y / scale, x / scale, n) for arm, (y, x), n in units]
        trial = Trial(
            subject.name,
            epoch.number,
            outcomes,
            epoch.shares,
            proportion,
            waiting.users,
            waiting.last_entry_ms + within + LATENESS if waiting.users else None,
            spec.decide_at,
            bool(spec.cuped),
        )
        head = {"activity": subject.name, "epoch": epoch.number, "metric": _said(spec)}
        for row in lift_rows(trial, ask.by == "variant"):
            variant = {"variant": row["arm"]} if ask.by == "variant" else {}
            result.append({**head, **row} | variant if variant else ask.labelled(group, {**head, **row}))
    return result


def _metric(spec: Lift, subject: Subject) -> tuple[Happening, int]:
    goal = subject.goal
    within = spec.within or (goal.within if goal else None)
    event = spec.event or (goal.event if goal else None)
    if event is None or within is None:
        raise CannotAsk(f"activity {subject.name} has no goal")
    if spec.event is None and goal is not None and goal.script:
        raise CannotAsk(f"the goal of activity {subject.name} is written in JavaScript, which the warehouse cannot ask")
    return event, within


def _said(spec: Lift) -> str:
    if spec.event is None:
        return "goal"
    types = ", ".join(spec.event.types)
    return f"sum of {spec.event.value} of {types}" if spec.metric == "sum" else f"{spec.metric} of {types}"


_SIDES = {"y": "e.time_ms > u.entry_ms", "x": "e.time_ms < u.entry_ms"}


def _hits_sql(ask: Ask, subject: Subject, event: Happening, window: _Window, kind: str) -> str:
    """Of each unit: y after the entry, x before it, and `met`: 1 where there was any after it."""
    columns = EntryColumns(ask, subject)
    where = condition_sql(parse(event.where).tree, columns) if event.where is not None else "true"
    value = f"kairos_exact({number_sql(parse(event.value).tree, columns)})" if kind == "sum" and event.value else "1"
    function = "max" if kind in ("goal", "rate") else "sum"
    sides = [f"{function}(CASE WHEN {side} THEN {value} END) AS {name}" for name, side in _SIDES.items()]
    sides.append(f"max(CASE WHEN {_SIDES['y']} THEN 1 END) AS met")
    return f"""SELECT u.epoch, u.user_id, {", ".join(sides)}
    FROM units u JOIN events e ON e.user_id = u.user_id AND e.time_ms <> u.entry_ms
    AND e.time_ms >= u.entry_ms - {window.before} AND e.time_ms < u.entry_ms + {window.within} {columns.joins()}
    WHERE e.type IN ({listed(event.types)}) AND e.time_ms <= {ask.as_of} AND {where} GROUP BY u.epoch, u.user_id"""


def _unit_rows(
    ask: Ask, subject: Subject, found: list[Epoch], within: int, parts: Sequence[tuple[str, str, tuple[str, ...]]]
) -> Rows:
    """(group, epoch, user or null, arm, merged, mature, numbers..., users, last entry_ms). `parts`: (name, SQL, its
    numbers), SQL that gives numbers of units by epoch and user. The user is named only where it matters which users
    there are."""
    user = "u.user_id" if any(epoch.leaving for epoch in found) else "CAST(NULL AS VARCHAR)"
    by_week = ask.by == "week"
    join, group = ask.groups("u.user_id", ask.clock.day("u.entry_ms"))
    numbers = [f"coalesce({name}.{number}, 0)" for name, _, chosen in parts for number in chosen]
    places = ", ".join(str(i + 1) for i in range(6 + len(numbers)))
    joins = " ".join(
        f"LEFT JOIN {name} ON {name}.epoch = u.epoch AND {name}.user_id = u.user_id" for name, _, _ in parts
    )
    return ask.query(f"""
WITH units AS ({units_sql(ask, subject, found)}),
{", ".join(f"{name} AS ({sql})" for name, sql, _ in parts)}
SELECT {group}, u.epoch, {user}, u.arm, u.merged, CASE WHEN u.entry_ms + {within} <= {ask.limit} THEN 1 ELSE 0 END,
       {", ".join(numbers)}, count(*), max(u.entry_ms)
FROM units u {joins} {ask.clock.join("u.user_id") if by_week else ""} {join} GROUP BY {places}""")


_Units = list[tuple[str, tuple[int, ...], int]]


class _Waiting(NamedTuple):
    """Immature users, and when the last of them entered (0: there are none)."""

    users: int = 0
    last_entry_ms: int = 0

    def joined(self, users: int, last_entry_ms: int) -> _Waiting:
        return _Waiting(self.users + users, max(self.last_entry_ms, last_entry_ms))


def _by_epoch(ask: Ask, found: list[Epoch], rows: Rows) -> Iterable[tuple[object, Epoch, _Units, _Waiting]]:
    """(group, epoch, mature units as (arm, numbers, users), immature users), without those who leave."""
    units: dict[tuple[object, int], _Units] = defaultdict(list)
    waiting: dict[tuple[object, int], _Waiting] = defaultdict(_Waiting)
    numbered = {epoch.number: epoch for epoch in found}
    merged = left = 0
    for group, number, user, arm, is_merged, mature, *numbers, users, last in rows:
        place = (group, number)
        units[place]  # an epoch of which nobody is mature yet has a row too
        if is_merged:
            merged += users
        elif user is not None and numbered[number].leaves(user):
            left += users
        elif mature:
            units[place].append((arm, tuple(numbers), users))
        else:
            waiting[place] = waiting[place].joined(users, last)
    if merged:
        ask.notes.append(f"{merged} users have entries in several arms, were merged, and are left out")
    if left:
        ask.notes.append(f"{left} users were in another arm before the control share changed, and are left out")
    for group in sorted_groups({group for group, _ in units}):
        for epoch in found:
            if (group, epoch.number) in units:
                yield group, epoch, units[group, epoch.number], waiting[group, epoch.number]


# ------------------------------------------------------------------------------------------------------------- money
def money(ask: Ask, spec: Money, subject: Subject, purchase: Happening, margin: float, costs: Costs) -> list[Row]:
    """A row of all epochs together; by variant one each."""
    within = spec.within or (subject.goal.within if subject.goal else None)
    if within is None:
        raise CannotAsk(f"activity {subject.name} has no goal, and no `within` says how long to count")
    found = epochs_of(ask, subject)
    window = _Window(within)
    bought = _hits_sql(ask, subject, purchase, window, "sum")
    spent = _spent_sql(ask, spec, costs, within)
    parts = [
        ("bought", bought, ("y", "met")),
        ("spent", spent, ("y",)),
    ]
    if costs.coupon is not None:
        parts.append(("redeemed", _hits_sql(ask, subject, costs.coupon, window, "sum"), ("y",)))
    if not ask.query(f"SELECT 1 FROM receipts WHERE activity = {quoted(subject.name)} LIMIT 1"):
        ask.notes.append("there are no receipts: nothing is assumed sent, and no message has a cost")
    trials: dict[object, list[MoneyTrial]] = defaultdict(list)
    rows = _unit_rows(ask, subject, found, within, parts) if found else []
    for group, epoch, units, _ in _by_epoch(ask, found, rows):
        outcomes = [_money_outcome(arm, numbers, users, margin) for arm, numbers, users in units]
        trial = MoneyTrial(outcomes, epoch.shares)
        for place, part in arms_of(trial).items() if ask.by == "variant" else ((group, trial),):
            trials[place].append(part)
    if ask.by is None:
        trials.setdefault(0, [])
    return [ask.labelled(group, money_row(subject.name, trials[group])) for group in sorted_groups(trials)]


def _money_outcome(arm: str, numbers: tuple[int, ...], users: int, margin: float) -> MoneyOutcome:
    value, bought, spent, *redeemed = numbers
    cost = 0 if arm == CONTROL else spent + sum(redeemed)
    return MoneyOutcome(arm, value / BILLION, value / BILLION * margin, cost / BILLION, bought, users)


def _spent_sql(ask: Ask, spec: Money, costs: Costs, within: int) -> str:
    """Of each unit: y, what the messages sent to her in the window cost, in billionths."""
    prices = " ".join(
        f"WHEN {quoted(channel)} THEN kairos_exact({float(price)!r}{'' if 'e' in repr(float(price)) else 'e0'}"
        f"{' * coalesce(m.segments, 1)' if segment else ''})"
        for channel, (price, segment) in sorted(costs.messages.items())
    )
    price = f"CASE m.channel {prices} ELSE CAST(0 AS DECIMAL(38, 0)) END" if prices else "CAST(0 AS DECIMAL(38, 0))"
    return f"""SELECT u.epoch, u.user_id, sum({price}) AS y FROM units u
    JOIN (SELECT user_id, occurrence, attempt, min(time_ms) AS time_ms, max(channel) AS channel,
          max(segments) AS segments FROM ({receipts_sql(ask, spec.activity)}) r
          WHERE status IN ({listed(REACHED)}) GROUP BY user_id, occurrence, attempt) m
    ON m.user_id = u.user_id AND m.time_ms >= u.entry_ms AND m.time_ms < u.entry_ms + {within}
    GROUP BY u.epoch, u.user_id"""
