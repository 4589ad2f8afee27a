"""What the ledger and the lists' history say of a person, taken out of them; that something went stays, for nothing may
go twice."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from kairos.adapters.database.connection import open_engine
from kairos.adapters.delivery.ledger_reader import LedgerReaderError, NoLedgerError
from kairos.adapters.delivery.tables import CALLS, FINAL, LEDGER
from kairos.adapters.profiles.user_lists import CHANGES


def forget_deliveries(address: str, user_id: str) -> dict[str, int]:
    """Rows lose user, provider's number and reason; a message that still waits is called back. A call under way keeps
    its row until it has ended: `under way` says how many, and that it has to be said again.

    Raises LedgerReaderError.
    """
    file = address.removeprefix("sqlite:///")
    if address.startswith("sqlite:///") and not Path(file).exists():
        raise NoLedgerError(f"no ledger: there is no file {file}")
    try:
        engine = open_engine(address)
        with engine.begin() as connection:
            found = _forgotten(connection, user_id)
        engine.dispose()
    except SQLAlchemyError as error:
        raise LedgerReaderError(f"the ledger does not answer: {error}") from None
    return {what: count for what, count in found.items() if count}


def _forgotten(connection: sql.Connection, user_id: str) -> dict[str, int]:
    there = set(sql.inspect(connection).get_table_names())
    found: dict[str, int] = {}
    if LEDGER.name in there:
        hers = LEDGER.c.user_id == user_id
        waiting = connection.execute(
            LEDGER.update().where(hers, LEDGER.c.state == "retry").values(state="recalled", reason="forgotten")
        ).rowcount
        settled = sql.select(LEDGER.c.key).where(hers, LEDGER.c.state.in_(FINAL))
        keys = list(connection.scalars(settled))
        calls = CALLS.update().where(CALLS.c.key.in_(settled)).values(reason=None)
        if CALLS.name in there:
            connection.execute(calls)
        connection.execute(
            LEDGER.update().where(hers, LEDGER.c.state.in_(FINAL)).values(user_id="", provider_id=None, reason=None)
        )
        left = sql.select(sql.func.count()).select_from(LEDGER).where(hers)
        found = {"messages": len(keys), "called back": waiting, "under way": connection.scalar(left) or 0}
    if CHANGES.name in there:
        found["list changes"] = connection.execute(CHANGES.delete().where(CHANGES.c.user_id == user_id)).rowcount
    return found
