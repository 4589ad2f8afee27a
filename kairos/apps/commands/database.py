"""`kairos database upgrade | grants`."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from kairos.apps.console import escape, fail, say

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database of rules, sources and delivery: its tables, and who may do what there."""


@app.command()
def upgrade(
    store: Annotated[str, typer.Argument(help="Its address, with a user who may make tables.")],
) -> None:
    """Make the tables, or bring them up to date. Whoever opens a store with such a user does the same.

    \b
    Examples:
      kairos database upgrade "mysql+pymysql://kairos:$OWNER_PASSWORD@db.example.com/kairos"
    """
    from kairos.adapters.delivery_database import DatabaseError, create_tables, hidden, open_engine
    from kairos.adapters.migrations import version_of

    try:
        engine = open_engine(store, "database")
        create_tables(engine)
    except DatabaseError as error:
        fail(str(error))
    say(f"{hidden(store)}: version {version_of(engine)}")
    engine.dispose()


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
    from kairos.adapters.database_roles import ROLES
    from kairos.adapters.database_roles import grants as statements

    if role not in ROLES:
        fail(f"there is no role '{escape(role)}'; there are {', '.join(ROLES)}")
    for what, text in (("user", user), ("database", name)):
        if not re.fullmatch(r"[A-Za-z0-9_]+", text):
            fail(f"--{what}: expected letters, digits and underscores, not '{escape(text)}'")
    for statement in statements(role, name, user):
        sys.stdout.write(statement + ";\n")
