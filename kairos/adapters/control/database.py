"""Where the control tables are: in the database of the rule store, or in a file beside the rules of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from kairos.adapters.database.audit_log import OvertakenError
from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.errors import DatabaseError
from kairos.adapters.database.migrations import migrate
from kairos.adapters.rules.store import RuleStoreError

T = TypeVar("T")

BESIDE = ".kairos/control.db"
"""In a rule folder, which has no database; hidden, as nothing of the rules."""
_MOST_TRIES = 20
_DEADLOCK, _LOCKED = 1213, 1205  # as MySQL and MariaDB number them


class Control:
    """`store`: of the rules, a database's address or a folder. Nothing is made before something is written.

    All raise RuleStoreError.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        address = store if "://" in store else f"sqlite:///{Path(store) / BESIDE}"
        self._file = Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None
        self._address, self._engine, self._migrated = address, None if self._file else _open(address), False

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.dispose()

    @property
    def empty(self) -> bool:
        """Nothing was ever written: there is not even a file."""
        return self._file is not None and not self._file.exists()

    @contextmanager
    def read(self) -> Iterator[sql.Connection]:
        """Of a database that is not `empty`."""
        try:
            with self._ready().connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._unreachable(error) from None

    def write(self, work: Callable[[sql.Connection], T]) -> T:
        """Runs `work` in one transaction; it is run again where somebody else took its number in the log meanwhile."""
        for left in reversed(range(_MOST_TRIES)):
            try:
                with self._ready().begin() as connection:
                    return work(connection)
            except OvertakenError:
                if not left:
                    raise RuleStoreError("somebody else has changed it meanwhile: look again") from None
            except SQLAlchemyError as error:
                if not left or not _was_overtaken(error):
                    raise self._unreachable(error) from None
        raise AssertionError

    def _ready(self) -> sql.Engine:
        if self._engine is None:
            self._engine = _open(self._address)
        if not self._migrated:
            migrate(self._engine)
            self._migrated = True
        return self._engine

    def _unreachable(self, error: SQLAlchemyError) -> RuleStoreError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        place = self._engine.url.render_as_string(hide_password=True) if self._engine is not None else self.store
        return RuleStoreError(f"the rule store {place} does not answer: {cause}")


def _was_overtaken(error: SQLAlchemyError) -> bool:
    """Somebody else wrote the same number first, or waited for what this one held."""
    code = error.orig.args[:1] if isinstance(error, DBAPIError) and error.orig is not None else ()
    return isinstance(error, IntegrityError) or code in ((_DEADLOCK,), (_LOCKED,))


def _open(address: str) -> sql.Engine:
    try:
        return open_engine(address, "rule store")
    except DatabaseError as error:
        raise RuleStoreError(str(error)) from None
    except OSError as error:
        raise RuleStoreError(f"the rule store {address}: {error.strerror or error}") from None
