"""All releases that a rule store still has, for what has to judge the past."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec
import sqlalchemy as sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kairos.adapters.rules.parsed import read_kept
from kairos.adapters.rules.store import RuleStoreError
from kairos.adapters.rules.store_folder import FolderRuleStore
from kairos.adapters.rules.store_sql import RELEASES
from kairos.engine.rule.release import Release, ReleaseError, decode


class ReleaseRow(msgspec.Struct, frozen=True, dict=True):
    """`author` "": nobody has said. `kept`: the release itself; None: `body` has it, which a folder does not have.
    Times in epoch ms."""

    number: int
    published_at: int
    author: str
    kept: Release | None = None
    body: bytes | None = None

    @cached_property
    def release(self) -> Release | None:
        """Decoded when it is asked for the first time; None: it is broken."""
        return self.kept if self.body is None else _good(self.body)


def read_releases(where: str) -> list[Release]:
    """In the order of their numbers, without seeds. A folder knows only its newest, a database all that are not broken.

    The job refuses broken ones too, so nothing was decided under them. Raises RuleStoreError.
    """
    releases = [row.release for row in release_rows(where) if row.release is not None]
    if not releases:
        raise RuleStoreError(f"the rule store {_place(where)} has no release")
    return [msgspec.structs.replace(release, seeds={}) for release in releases]


def release_rows(where: str) -> list[ReleaseRow]:
    """In the order of their numbers; a folder knows only its newest. Raises RuleStoreError."""
    return _rows(where) if "://" in where else _newest(where)


def _newest(folder: str) -> list[ReleaseRow]:
    if not Path(folder).is_dir():
        raise RuleStoreError(f"the rule folder {folder}: there is no such folder")
    newest = FolderRuleStore(folder).latest(0)
    if newest is None:
        return []
    changed = read_kept(Path(folder)).changed  # of an edit by hand the store knows no time of its own
    return [ReleaseRow(newest.number, min(newest.effective_at or changed, changed), "", newest)]


def _rows(address: str) -> list[ReleaseRow]:
    place = _place(address)
    file = address.removeprefix("sqlite:///")
    if file != address and not Path(file).exists():  # to connect would make it
        raise RuleStoreError(f"the rule store {place}: there is no file {file}")
    columns = [RELEASES.c[name] for name in ("number", "published_at", "author", "body")]
    try:
        engine = sql.create_engine(address)
        with engine.connect() as connection:
            if not sql.inspect(connection).has_table(RELEASES.name):
                return []
            rows = connection.execute(sql.select(*columns).order_by(RELEASES.c.number)).all()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise RuleStoreError(f"the rule store {place} does not answer: {error}") from None
    return [ReleaseRow(row.number, row.published_at, row.author, body=row.body) for row in rows]


def _good(body: bytes) -> Release | None:
    try:
        return decode(body)
    except ReleaseError:
        return None


def _place(where: str) -> str:
    try:
        return make_url(where).render_as_string(hide_password=True) if "://" in where else where
    except ArgumentError:
        return "(its address is not usable)"
