"""Votes on what is to run, in SQL, each keyed by the content that it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sql

from kairos.adapters.control.database import Control
from kairos.adapters.control.tables import APPROVALS, SUBMISSIONS
from kairos.adapters.database.audit_log import Deed, add, change, next_number

LAPSE_MS = 7 * 86_400_000
"""An approval, and a question that nobody has answered, is worth nothing after this."""


class Vote(msgspec.Struct, frozen=True):
    """A row of `approvals`; see its table. Times in epoch ms. `decision` None: it is still asked for."""

    number: int
    subject: str
    meaning_hash: str
    plan_hash: str
    step: str
    policy: str
    requested_by: str
    requested_at: int
    decision: Literal["approved", "rejected"] | None
    decided_by: str | None
    decided_at: int | None
    comment: str | None
    expires_at: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.subject, self.meaning_hash, self.plan_hash


class Asked(msgspec.Struct, frozen=True):
    """One step of a submission: so many `votes` are asked for."""

    step: str
    policy: str
    votes: int


class Submission(msgspec.Struct, frozen=True):
    """`plan`: what it does, `forecast`: what is expected of it, a line each."""

    plan: list[str]
    forecast: list[str] = []


class Approvals:
    """All raise RuleStoreError."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def all(self) -> Sequence[Vote]:
        """In the order in which they were asked for, as all here."""
        return self._votes(sql.true())

    def of(self, subjects: Collection[str]) -> Sequence[Vote]:
        return self._votes(APPROVALS.c.subject.in_(subjects))

    def newest(self) -> Sequence[Vote]:
        """Of the newest submission of every subject."""
        return self._votes(_together(sql.select(sql.func.max(APPROVALS.c.number)).group_by(APPROVALS.c.subject)))

    def of_submissions(self, numbers: Collection[int]) -> Sequence[Vote]:
        return self._votes(_together(numbers))

    def submit(
        self,
        key: tuple[str, str, str],
        steps: Sequence[Asked],
        submission: Submission,
        deed: Deed,
        emergency: int | None = None,
    ) -> None:
        """Asks for every vote of the steps."""

        def work(connection: sql.Connection) -> None:
            first = next_number(connection)
            for step in (each for each in steps for _ in range(each.votes)):
                number = next_number(connection)
                asked = Vote(
                    number, *key, step.step, step.policy, deed.actor, deed.at, None, None, None, None,
                    deed.at + LAPSE_MS,
                )  # fmt: skip
                about = Deed(deed.actor, "submit", f"approval/{number}", deed.at)
                add(connection, APPROVALS, msgspec.structs.asdict(asked), about)
            body = {"number": first, "emergency": emergency, "body": msgspec.msgpack.encode(submission)}
            connection.execute(SUBMISSIONS.insert(), body)

        self._control.write(work)

    def decide(self, subject: str, choose: Callable[[Sequence[Vote]], Vote], deed: Deed, **values: Any) -> Vote:
        """Decides one vote: `choose` picks it among the votes as they stand in the transaction, or refuses. Returns it
        as it is then."""

        def work(connection: sql.Connection) -> Vote:
            before = choose(_votes(connection, APPROVALS.c.subject == subject))
            about = Deed(deed.actor, deed.action, f"approval/{before.number}", deed.at)
            change(connection, APPROVALS, msgspec.structs.asdict(before), about, **values)
            return msgspec.structs.replace(before, **values)

        return self._control.write(work)

    def submission(self, number: int) -> Submission:
        """`number`: of its first vote."""
        query = sql.select(SUBMISSIONS.c.body).where(SUBMISSIONS.c.number == number)
        with self._control.read() as connection:
            return msgspec.msgpack.decode(connection.execute(query).scalar_one(), type=Submission)

    def emergencies(self) -> Mapping[int, int]:
        """Number of a submission -> the release by which it was published unapproved."""
        if self._control.empty:
            return {}
        query = sql.select(SUBMISSIONS.c.number, SUBMISSIONS.c.emergency).where(SUBMISSIONS.c.emergency.is_not(None))
        with self._control.read() as connection:
            return {row.number: row.emergency for row in connection.execute(query)}

    def _votes(self, which: sql.ColumnElement[bool]) -> Sequence[Vote]:
        if self._control.empty:
            return []
        with self._control.read() as connection:
            return _votes(connection, which)


def _votes(connection: sql.Connection, which: sql.ColumnElement[bool]) -> list[Vote]:
    columns = (APPROVALS.c[name] for name in Vote.__struct_fields__)
    return [Vote(*row) for row in connection.execute(sql.select(*columns).where(which).order_by(APPROVALS.c.number))]


def _together(numbers: Collection[int] | sql.Select[Any]) -> sql.ColumnElement[bool]:
    """Whether it was asked for together with one of these votes."""
    key = tuple(APPROVALS.c[name] for name in ("subject", "requested_at", "meaning_hash", "plan_hash"))
    return sql.tuple_(*key).in_(sql.select(*key).where(APPROVALS.c.number.in_(numbers)))
