"""`kairos list`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings.delivery import load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.usecases.errors import AskError
from kairos.usecases.people import user_lists as usecase
from kairos.usecases.people.user_lists import Member

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="`black`, `white`, or `crowd:NAME`.")]
Users = Annotated[list[str], typer.Argument(help="User ids.")]
Reason = Annotated[str | None, typer.Option(help="Shown by `kairos list show`.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration, with `delivery.store` and `profiles.redis`.")]
LOCAL = Path("conf/local.yaml")


@app.callback()
def user_list() -> None:
    """Who is on the black list, the white list, or in a crowd that is kept by hand (`redis` in the rules).

    \b
    Examples:
      kairos list add black u7 --reason "asked by mail"
      kairos list show black
    """


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
    """Take users from a list.

    \b
    Example:
      kairos list remove black u7 --reason "wrote again"
    """
    _put(name, users, reason, conf, added=False)


@app.command()
def show(name: Name, conf: ConfFile = LOCAL) -> None:
    """Everyone on a list, and who put them there, when and why. A long list comes page by page, each sorted.

    \b
    Example:
      kairos list show crowd:staff
    """
    _need_list(name)
    with told():
        settings, after, more = load(conf), 0, True
        while more:
            page = usecase.members(settings, name, after)
            for member in page.members:
                sys.stdout.write(f"{escape(member.user_id):<24} {escape(_said(member))}\n")
            after, more = page.after, page.after != 0


def _said(member: Member) -> str:
    if (put := member.put) is None:
        return "by another program"
    at = datetime.fromtimestamp(put.changed_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{at} by {put.changed_by}" + (f": {put.reason}" if put.reason else "")


def _put(name: str, users: list[str], reason: str | None, conf: Path, *, added: bool) -> None:
    _need_list(name)
    with told():
        settings = load(conf)
        count = usecase.put(settings, name, users, reason, acting(settings.rules.store), now(), on=added)
    sys.stdout.write(f"{name}: {count} {'added' if added else 'removed'}, {len(users) - count} as they were\n")


def _need_list(name: str) -> None:
    try:
        usecase.need_list(name)
    except AskError as error:
        raise typer.BadParameter(str(error)) from None
