"""Users, their tokens and sessions, in SQL. Secrets are kept as hashes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sql

from kairos.adapters.control.database import Control
from kairos.adapters.control.tables import API_TOKENS, SESSIONS, SIGN_IN_FAILURES, USERS
from kairos.adapters.database.audit_log import Deed, add, change


class User(msgspec.Struct, frozen=True):
    """`password`: Argon2's encoded hash; None: there is none. `roles`: separated by blanks."""

    name: str
    password: str | None
    roles: str
    disabled: bool
    created_at: int


class Token(msgspec.Struct, frozen=True):
    """`secret`: its SHA-256, in hex. Times in epoch ms."""

    id: str
    user: str
    secret: str
    title: str
    created_at: int
    expires_at: int
    revoked: bool


class Session(msgspec.Struct, frozen=True):
    """`id`: SHA-256 of the cookie, in hex."""

    id: str
    user: str
    csrf: str
    expires_at: int


class Failures(msgspec.Struct, frozen=True):
    """How often in a row it failed; nothing more is tried before `until` (epoch ms)."""

    failures: int = 0
    until: int = 0


class Users:
    """All raise RuleStoreError."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def all(self) -> Sequence[User]:
        """By name."""
        return [] if self._control.empty else [User(**row) for row in self._rows(sql.select(USERS).order_by("name"))]

    def find(self, name: str) -> User | None:
        rows = self._rows(sql.select(USERS).where(USERS.c.name == name))
        return User(**rows[0]) if rows else None

    def add(self, user: User, deed: Deed) -> None:
        self._control.write(lambda connection: add(connection, USERS, msgspec.structs.asdict(user), deed))

    def change(self, user: User, deed: Deed, **values: Any) -> None:
        before = msgspec.structs.asdict(user)

        def work(connection: sql.Connection) -> None:
            change(connection, USERS, before, deed, **values)
            connection.execute(SESSIONS.delete().where(SESSIONS.c.user == user.name))  # rights and passwords are new

        self._control.write(work)

    # ------------------------------------------------------------------------------------------------------- tokens
    def tokens(self) -> Sequence[Token]:
        return [Token(**row) for row in self._rows(sql.select(API_TOKENS).order_by("created_at", "id"))]

    def find_token(self, secret: str) -> Token | None:
        rows = self._rows(sql.select(API_TOKENS).where(API_TOKENS.c.secret == secret))
        return Token(**rows[0]) if rows else None

    def add_token(self, token: Token, deed: Deed) -> None:
        self._control.write(lambda connection: add(connection, API_TOKENS, msgspec.structs.asdict(token), deed))

    def revoke(self, token: Token, deed: Deed) -> None:
        before = msgspec.structs.asdict(token)
        self._control.write(lambda connection: change(connection, API_TOKENS, before, deed, revoked=True))

    # ----------------------------------------------------------------------------------------------------- sessions
    def begin(self, session: Session, now: int) -> None:
        """Writes a new session, and removes those that are over."""

        def work(connection: sql.Connection) -> None:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_at <= now))
            connection.execute(SESSIONS.insert(), msgspec.structs.asdict(session))

        self._control.write(work)

    def session(self, id: str) -> Session | None:
        rows = self._rows(sql.select(SESSIONS).where(SESSIONS.c.id == id))
        return Session(**rows[0]) if rows else None

    def end(self, id: str) -> None:
        self._control.write(lambda connection: connection.execute(SESSIONS.delete().where(SESSIONS.c.id == id)))

    # ----------------------------------------------------------------------------------------------------- failures
    def failures(self, subject: str) -> Failures:
        table = SIGN_IN_FAILURES
        rows = self._rows(sql.select(table.c.failures, table.c.until).where(table.c.subject == subject))
        return Failures(**rows[0]) if rows else Failures()

    def keep_failures(self, subject: str, failures: Failures) -> None:
        """None are forgotten."""
        table, mine = SIGN_IN_FAILURES, SIGN_IN_FAILURES.c.subject == subject

        def work(connection: sql.Connection) -> None:
            connection.execute(table.delete().where(mine))
            if failures.failures:
                connection.execute(table.insert(), {"subject": subject, **msgspec.structs.asdict(failures)})

        self._control.write(work)

    def _rows(self, query: sql.Select[Any]) -> list[dict[str, Any]]:
        if self._control.empty:
            return []
        with self._control.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
