"""What people set while workers run: a channel's rate, and whether it is paused; and which workers are at work."""

from __future__ import annotations

import msgspec
import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from kairos.adapters.database.connection import away
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.tables import CONTROLS, WORKERS

SEEN_MS = 5_000
"""A worker that was not seen for so long has no share of the rate any more."""
FORGOTTEN_MS = 3_600_000


class Control(msgspec.Struct, frozen=True):
    """Of one channel. `rate`: calls a second over all its workers; null: no threshold."""

    channel: str
    rate: float | None = None
    paused: bool = False
    reason: str | None = None
    changed_by: str = ""
    changed_at: int = 0


class Controls:
    """Calls block. All raise DatabaseAwayError. Times are epoch ms."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine

    def read(self, channel: str) -> Control:
        return next((control for control in self.all() if control.channel == channel), Control(channel))

    def all(self) -> list[Control]:
        """Of channels for which something was ever set."""
        columns = [CONTROLS.c[name] for name in Control.__struct_fields__]
        try:
            with self._engine.connect() as connection:
                return [Control(*values) for values in connection.execute(sql.select(*columns).order_by(columns[0]))]
        except SQLAlchemyError as error:
            raise away(error) from None

    def pause(self, channel: str, reason: str | None, by: str, now: int) -> None:
        self._set(channel, by, now, paused=True, reason=reason)

    def resume(self, channel: str, by: str, now: int) -> None:
        self._set(channel, by, now, paused=False, reason=None)

    def limit(self, channel: str, rate: float | None, by: str, now: int) -> None:
        self._set(channel, by, now, rate=rate)

    def _set(self, channel: str, by: str, now: int, **values: object) -> None:
        changes = {**values, "changed_by": by[:190], "changed_at": now}
        try:
            for _ in range(2):
                try:
                    with self._engine.begin() as connection:
                        known = connection.execute(CONTROLS.update().where(CONTROLS.c.channel == channel), changes)
                        if not known.rowcount:
                            connection.execute(CONTROLS.insert(), {"channel": channel, "paused": False, **changes})
                    return
                except IntegrityError:
                    continue  # somebody else was the first to set anything
        except SQLAlchemyError as error:
            raise away(error) from None
        raise DatabaseAwayError(f"the settings of channel {channel} cannot be written: its row comes and goes")

    def beat(self, worker: str, channel: str, now: int) -> int:
        """Says that the worker lives; returns how many workers of the channel do, at least this one."""
        try:
            with self._engine.begin() as connection:
                seen = connection.execute(WORKERS.update().where(WORKERS.c.worker == worker), {"seen_at": now})
                if not seen.rowcount:
                    # MySQL counts changed rows only, and the clock may have stood still.
                    connection.execute(WORKERS.delete().where(WORKERS.c.worker == worker))
                    connection.execute(WORKERS.insert(), {"worker": worker, "channel": channel, "seen_at": now})
                    connection.execute(WORKERS.delete().where(WORKERS.c.seen_at < now - FORGOTTEN_MS))
                alive = sql.select(sql.func.count()).where(
                    WORKERS.c.channel == channel, WORKERS.c.seen_at > now - SEEN_MS
                )
                return max(1, int(connection.execute(alive).scalar_one()))
        except SQLAlchemyError as error:
            raise away(error) from None

    def workers(self, now: int) -> dict[str, int]:
        """Channel -> how many workers are at work."""
        query = sql.select(WORKERS.c.channel, sql.func.count()).where(WORKERS.c.seen_at > now - SEEN_MS)
        try:
            with self._engine.connect() as connection:
                return {row[0]: row[1] for row in connection.execute(query.group_by(WORKERS.c.channel))}
        except SQLAlchemyError as error:
            raise away(error) from None

    def leave(self, worker: str) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(WORKERS.delete().where(WORKERS.c.worker == worker))
        except SQLAlchemyError as error:
            raise away(error) from None
