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


class Member(msgspec.Struct, frozen=True):
    """`put`: who put the user there, when and why; None: another program did."""

    user_id: str
    put: Change | None


def need_list(name: str) -> None:
    """Raises AskError: the name is neither `black`, `white` nor `crowd:NAME`."""
    if name not in LISTS and not re.fullmatch(r"crowd:[a-z][a-z0-9_]*", name):
        raise AskError(f"'{name}' is not a list; expected black, white or crowd:NAME")


def members(conf: Conf, name: str) -> list[Member]:
    """By user id. This and `put` raise AskError, SettingsError, DatabaseError, DatabaseAwayError and ListsAwayError."""
    with _lists(conf, name) as lists:
        users, changes = lists.members(name), lists.latest(name)
    found = ((user, changes.get(user)) for user in users)
    return [Member(user, change if change is not None and change.added else None) for user, change in found]


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
