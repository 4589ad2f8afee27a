"""`kairos database upgrade | grants`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.terminal import say
from kairos.usecases.operation import database as usecase

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database of rules, sources and delivery: its tables, and who may do what there.

    \b
    Example:
      kairos database upgrade sqlite:///kairos.db
    """


@app.command()
def upgrade(
    store: Annotated[str, typer.Argument(help="Its address, with a user who may make tables.")],
) -> None:
    """Make the tables, or bring them up to date. Whoever opens a store with such a user does the same.

    \b
    Examples:
      kairos database upgrade \\
        "mysql+pymysql://kairos:$OWNER_PASSWORD@db.example.com/kairos"
    """
    with told():
        done = usecase.upgrade(store)
    say(f"{done.store}: version {done.version}")


@app.command()
def grants(
    role: Annotated[str, typer.Argument(help="job, gateway, worker, publish or audit.")],
    user: Annotated[str, typer.Option(help="Its user in the database.")],
    name: Annotated[str, typer.Option("--database", help="The database's name.")] = "kairos",
) -> None:
    """Print the SQL that lets a process do its work in MySQL or MariaDB, and no more. The tables must be there.

    \b
    Examples:
      kairos database grants worker --user kairos_worker | mysql kairos
    """
    with told():
        for statement in usecase.grants(role, user, name):
            sys.stdout.write(statement + ";\n")
