"""`kairos database`: the tables of rules, sources and delivery, and who may do what there."""

from __future__ import annotations

import re

import msgspec

from kairos.adapters.database.connection import create_tables, hidden, open_engine
from kairos.adapters.database.migrations import version_of
from kairos.adapters.database.roles import ROLES
from kairos.adapters.database.roles import grants as statements
from kairos.usecases.errors import AskError, NotThereError


class Upgraded(msgspec.Struct, frozen=True):
    """`store`: its address without the password. `version`: of the tables now."""

    store: str
    version: str


def upgrade(store: str) -> Upgraded:
    """Makes the tables, or brings them up to date. Raises DatabaseError."""
    engine = open_engine(store, "database")
    try:
        create_tables(engine)
        return Upgraded(hidden(store), str(version_of(engine)))
    finally:
        engine.dispose()


def grants(role: str, user: str, database: str) -> list[str]:
    """SQL that lets a process do its work in MySQL or MariaDB, and no more. Raises NotThereError and AskError."""
    if role not in ROLES:
        raise NotThereError(f"there is no role '{role}'; there are {', '.join(ROLES)}")
    for what, text in (("user", user), ("database", database)):
        if not re.fullmatch(r"[A-Za-z0-9_]+", text):
            raise AskError(f"--{what}: expected letters, digits and underscores, not '{text}'")
    return list(statements(role, database, user))
