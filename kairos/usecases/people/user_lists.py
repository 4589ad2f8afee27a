"""`kairos list`: the black list, the white list, and crowds that are kept by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
import redis

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.profiles.lists import ListsAwayError
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.user_lists import LISTS, Change, UserLists
from kairos.adapters.settings.delivery import Conf
from kairos.adapters.settings.file import SettingsError
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError

AT_ONCE = 5_000
"""Members of a page where nobody says how many: some hundred kilobytes."""


class Member(msgspec.Struct, frozen=True):
    """`put`: who put the user there, when and why; None: another program did."""

    user_id: str
    put: Change | None


class Page(msgspec.Struct, frozen=True):
    """Members by user id; a page by itself, for a set has no order. `size`: of the whole list. `after`: the place of
    the next page; 0: there is none."""

    members: list[Member]
    size: int
    after: int


def need_list(name: str) -> None:
    """Raises AskError: the name is neither `black`, `white` nor `crowd:NAME`."""
    if name not in LISTS and not re.fullmatch(r"crowd:[a-z][a-z0-9_]*", name):
        raise AskError(f"'{name}' is not a list; expected black, white or crowd:NAME")


def members(conf: Conf, name: str, after: int = 0, about: int = AT_ONCE) -> Page:
    """About so many of them from a place on. This and `put` raise AskError, SettingsError, DatabaseError,
    DatabaseAwayError and ListsAwayError."""
    with _lists(conf, name) as lists:
        size, (users, place) = lists.size(name), lists.members(name, after, about)
        changes = lists.latest(name, users)
    found = ((user, changes.get(user)) for user in users)
    return Page([Member(user, one if one is not None and one.added else None) for user, one in found], size, place)


def put(conf: Conf, name: str, users: Sequence[str], reason: str | None, actor: Actor, now: int, *, on: bool) -> int:
    """Puts users on the list, or takes them off; how many that changed. `now` in epoch ms. The job heeds it within
    `profiles.ttl`. Raises NotAllowedError and RuleStoreError, too."""
    with _lists(conf, name) as lists:
        write_people(conf.rules.store, actor, f"list_{'on' if on else 'off'}", f"list/{name}", now)
        return lists.put(name, users, added=on, reason=reason, by=actor.name, now=now)


@contextmanager
def _lists(conf: Conf, name: str) -> Iterator[UserLists]:
    need_list(name)
    address = conf.profiles.redis
    if not address:
        raise SettingsError(f"{conf.place}: profiles.redis is missing; lists are kept there")
    engine = open_engine(conf.delivery.store)
    try:
        create_tables(engine)
        with connect(address) as client:
            yield UserLists(engine, client)
    except redis.RedisError as error:
        raise ListsAwayError(str(error)) from None
    finally:
        engine.dispose()
