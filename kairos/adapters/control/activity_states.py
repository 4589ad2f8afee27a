"""The switch of each activity, in SQL: whoever turns it stops or frees the activity in the running job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sql

from kairos.adapters.control.database import Control
from kairos.adapters.control.tables import ACTIVITY_STATES
from kairos.adapters.database.audit_log import Deed, append, next_number
from kairos.engine.rule.changes.switch import Position, Switches, Turn

_ACTIONS = {"paused": "pause", "live": "resume", "ended": "end"}
_COLUMNS = tuple(ACTIVITY_STATES.c)


class Standing(msgspec.Struct, frozen=True):
    """One turn, with who made it and why. `since`: event time (epoch ms)."""

    number: int
    activity: str
    state: Position
    since: int
    by: str
    reason: str


class ActivityStates:
    """All raise RuleStoreError."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._known = Switches()

    def read(self) -> Switches:
        """The switches of all activities; only new turns are fetched."""
        if self._control.empty:
            return self._known
        with self._control.read() as connection:
            rows = connection.execute(_after(self._known.number)).all()
        if rows:
            self._known = self._known.with_turns((row.activity, Turn(row.number, row.since, row.state)) for row in rows)
        return self._known

    def standing(self, now: int) -> dict[str, Standing]:
        """Activity -> the turn that holds at `now`."""
        return self._newest(now)

    def foreseen(self, now: int) -> dict[str, Standing]:
        """Activity -> the turn that comes by itself after `now`, where the newest one does."""
        return {name: turn for name, turn in self._newest(None).items() if turn.since > now}

    def history(self, activity: str | None = None) -> Sequence[Standing]:
        """Every turn, of one activity or of all, oldest first."""
        if self._control.empty:
            return []
        query = _after(0) if activity is None else _after(0).where(ACTIVITY_STATES.c.activity == activity)
        with self._control.read() as connection:
            return [Standing(*row) for row in connection.execute(query)]

    def turn(self, activities: Sequence[str], state: Position, by: str, reason: str, now: int) -> list[str]:
        """Turns activities, and returns those that were turned. What stands so already, or has ended, is left alone.

        Turns that are foreseen for them come all the same.
        """

        def work(connection: sql.Connection) -> list[str]:
            stands, newest, turned = _newest(connection, now), _newest(connection, None), list[str]()
            for activity in activities:
                before, last = stands.get(activity), newest.get(activity)
                if (before.state if before is not None else "live") in (state, "ended"):
                    continue
                _append(connection, before, Standing(0, activity, state, now, by[:190], reason), now)
                if last is not None and last.since > now and state != "ended":
                    _append(connection, last, last, now)
                turned.append(activity)
            return turned

        return self._control.write(work)

    def foresee(self, activities: Sequence[str], state: Position, by: str, reason: str, since: int, now: int) -> None:
        """They are turned at `since`, or when another turn is foreseen if that is earlier; unless it is called off."""

        def work(connection: sql.Connection) -> None:
            stands, newest = _newest(connection, now), _newest(connection, None)
            for activity in activities:
                before, last = stands.get(activity), newest.get(activity)
                if before is None or before.state != "ended":
                    at = min(since, last.since) if last is not None and last.since > now else since
                    _append(connection, before, Standing(0, activity, state, at, by[:190], reason), now)

        self._control.write(work)

    def call_off(self, but: Collection[str], by: str, why: str, now: int) -> None:
        """Removes foreseen turns, but for those with these reasons."""

        def work(connection: sql.Connection) -> None:
            stands, newest = _newest(connection, now), _newest(connection, None)
            coming = _after(0).where(ACTIVITY_STATES.c.since > now)
            kept = {row.activity: Standing(*row) for row in connection.execute(coming) if row.reason in but}
            for activity, foreseen in sorted(newest.items()):
                if foreseen.since <= now or foreseen.reason in but:
                    continue
                state: Position = stands[activity].state if activity in stands else "live"
                _append(connection, foreseen, Standing(0, activity, state, now, by[:190], why), now)
                if activity in kept:
                    _append(connection, kept[activity], kept[activity], now)

        self._control.write(work)

    def _newest(self, until: int | None) -> dict[str, Standing]:
        if self._control.empty:
            return {}
        with self._control.read() as connection:
            return _newest(connection, until)


def _after(number: int) -> sql.Select[Any]:
    return sql.select(*_COLUMNS).where(ACTIVITY_STATES.c.number > number).order_by(ACTIVITY_STATES.c.number)


def _newest(connection: sql.Connection, until: int | None) -> dict[str, Standing]:
    """Activity -> its newest turn, of those that hold at event time `until`; None: of all."""
    numbers = sql.select(sql.func.max(ACTIVITY_STATES.c.number)).group_by(ACTIVITY_STATES.c.activity)
    if until is not None:
        numbers = numbers.where(ACTIVITY_STATES.c.since <= until)
    rows = connection.execute(sql.select(*_COLUMNS).where(ACTIVITY_STATES.c.number.in_(numbers)))
    return {row.activity: Standing(*row) for row in rows}


def _append(connection: sql.Connection, before: Standing | None, turn: Standing, now: int) -> None:
    row = msgspec.structs.asdict(msgspec.structs.replace(turn, number=next_number(connection)))
    deed = Deed(turn.by, _ACTIONS[turn.state], f"activity/{turn.activity}", now)
    append(connection, deed, None if before is None else msgspec.structs.asdict(before), row)
    connection.execute(ACTIVITY_STATES.insert(), row)
