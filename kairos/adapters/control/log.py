"""Reads the log of what people have done, and the rows that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sql

from kairos.adapters.control.database import Control
from kairos.adapters.control.tables import SUBJECTS
from kairos.adapters.database.audit_log import AUDIT_LOG, Entry, append
from kairos.adapters.database.audit_log import Deed as Deed


class AuditLog:
    """All raise RuleStoreError."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def entries(self, subject: str | None = None) -> Sequence[Entry]:
        """In their order; of one subject, or all."""
        if self._control.empty:
            return []
        query = sql.select(*(AUDIT_LOG.c[name] for name in Entry.__struct_fields__)).order_by(AUDIT_LOG.c.seq)
        if subject is not None:
            query = query.where(AUDIT_LOG.c.subject == subject)
        with self._control.read() as connection:
            return [Entry(*row) for row in connection.execute(query)]

    def note(self, deed: Deed, after: dict[str, Any] | None = None) -> None:
        """Of what stands in no table here, as a release; `after`: what there is of it to be compared."""
        self._control.write(lambda connection: append(connection, deed, None, after))

    def rows(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(table, subject, row by column) of every row that has entries in the log."""
        if self._control.empty:
            return
        with self._control.read() as connection:
            for table, subject in SUBJECTS.items():
                for row in connection.execute(sql.select(table)).mappings():
                    found = dict(row)
                    yield table.name, subject(found), found
