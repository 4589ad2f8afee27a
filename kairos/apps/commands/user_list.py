"""`kairos list`."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.author import user_name
from kairos.apps.console import escape, fail

if TYPE_CHECKING:
    from kairos.adapters.user_lists import UserLists

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="`black`, `white`, or `crowd:NAME`.")]
Users = Annotated[list[str], typer.Argument(help="User ids.")]
Reason = Annotated[str | None, typer.Option(help="Shown by `kairos list show`.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration, with `delivery.store` and `profiles.redis`.")]
LOCAL = Path("conf/local.yaml")


@app.callback()
def user_list() -> None:
    """Who is on the black list, the white list, or in a crowd that is kept by hand (`redis` in the rules)."""


@app.command()
def add(name: Name, users: Users, reason: Reason = None, conf: ConfFile = LOCAL) -> None:
    """Put users on a list. The job heeds it within `profiles.ttl`.

    \b
    Examples:
      kairos list add black u7 u8 --reason "asked by mail"
      kairos list add crowd:staff u1
    """
    _put(name, users, reason, conf, added=True)


@app.command()
def remove(name: Name, users: Users, reason: Reason = None, conf: ConfFile = LOCAL) -> None:
    """Take users from a list."""
    _put(name, users, reason, conf, added=False)


@app.command()
def show(name: Name, conf: ConfFile = LOCAL) -> None:
    """Everyone on a list, and who put them there, when and why."""
    import redis

    from kairos.adapters.ledger import LedgerAwayError

    lists = _open(name, conf)
    try:
        members, changes = lists.members(name), lists.latest(name)
    except (LedgerAwayError, redis.RedisError) as error:
        fail(escape(str(error)))
    for user in members:
        change = changes.get(user)
        if change is None or not change.added:
            said = "by another program"
        else:
            at = datetime.fromtimestamp(change.changed_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            said = f"{at} by {change.changed_by}" + (f": {change.reason}" if change.reason else "")
        sys.stdout.write(f"{escape(user):<24} {escape(said)}\n")


def _put(name: str, users: list[str], reason: str | None, conf: Path, *, added: bool) -> None:
    import redis

    from kairos.adapters.ledger import LedgerAwayError

    lists = _open(name, conf)
    try:
        count = lists.put(name, users, added=added, reason=reason, by=user_name(), now=time.time_ns() // 1_000_000)
    except (LedgerAwayError, redis.RedisError) as error:
        fail(escape(str(error)))
    sys.stdout.write(f"{name}: {count} {'added' if added else 'removed'}, {len(users) - count} as they were\n")


def _open(name: str, conf: Path) -> UserLists:
    from kairos.adapters.delivery_database import DatabaseError, create_tables, open_engine
    from kairos.adapters.profiles import connect
    from kairos.adapters.user_lists import LISTS, UserLists
    from kairos.apps.delivery.settings import load

    if name not in LISTS and not re.fullmatch(r"crowd:[a-z][a-z0-9_]*", name):
        raise typer.BadParameter(f"'{name}' is not a list; expected black, white or crowd:NAME")
    try:
        settings = load(conf)
        if not settings.profiles.redis:
            fail(f"{escape(str(conf))}: profiles.redis is missing; lists are kept there")
        engine = open_engine(settings.delivery.store)
        create_tables(engine)
    except (SettingsError, DatabaseError) as error:
        fail(escape(str(error)))
    return UserLists(engine, connect(settings.profiles.redis))
