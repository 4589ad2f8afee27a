"""All releases that a rule store still has, for what has to judge the past."""

from __future__ import annotations

from pathlib import Path

import msgspec
import sqlalchemy as sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kairos.adapters.folder_rule_store import FolderRuleStore
from kairos.adapters.rule_store import RuleStoreError
from kairos.adapters.sql_rule_store import RELEASES
from kairos.engine.rule.release import Release, ReleaseError, decode


def read_releases(where: str) -> list[Release]:
    """In the order of their numbers, without seeds. A folder knows only its newest, a database all that are not broken.

    Raises RuleStoreError.
    """
    releases = _rows(where) if "://" in where else _newest(where)
    if not releases:
        raise RuleStoreError(f"the rule store {_place(where)} has no release")
    return [msgspec.structs.replace(release, seeds={}) for release in releases]


def _newest(folder: str) -> list[Release]:
    if not Path(folder).is_dir():
        raise RuleStoreError(f"the rule folder {folder}: there is no such folder")
    newest = FolderRuleStore(folder).latest(0)
    return [newest] if newest is not None else []


def _rows(address: str) -> list[Release]:
    place = _place(address)
    file = address.removeprefix("sqlite:///")
    if file != address and not Path(file).exists():  # to connect would make it
        raise RuleStoreError(f"the rule store {place}: there is no file {file}")
    try:
        engine = sql.create_engine(address)
        with engine.connect() as connection:
            if not sql.inspect(connection).has_table(RELEASES.name):
                return []
            bodies = connection.execute(sql.select(RELEASES.c.body).order_by(RELEASES.c.number)).scalars().all()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise RuleStoreError(f"the rule store {place} does not answer: {error}") from None
    return [release for body in bodies if (release := _good(body)) is not None]


def _good(body: bytes) -> Release | None:
    """The job refuses broken ones too, so nothing was decided under them."""
    try:
        return decode(body)
    except ReleaseError:
        return None


def _place(where: str) -> str:
    try:
        return make_url(where).render_as_string(hide_password=True) if "://" in where else where
    except ArgumentError:
        return "(its address is not usable)"
