"""`kairos users`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.usecases.control import users as usecase
from kairos.usecases.control.rights import Actor

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user.")]
Roles = Annotated[
    list[str], typer.Option("--role", help="viewer, author, operator, admin, or reviewer:STEP; may be repeated.")
]


@app.callback()
def users() -> None:
    """Who may do what in a rule store. Once there is a user, every command wants a token (KAIROS_TOKEN).

    \b
    Examples:
      kairos users add ann --role admin
      kairos users token ann --title CI
    """


@app.command()
def add(
    name: Name,
    role: Roles,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read a password, one line.")] = False,
    store: RuleStore = None,
) -> None:
    """Add a user; the first one is an admin, and gets a token at once.

    \b
    Examples:
      kairos users add ann --role admin
      kairos users add rita --role reviewer:risk --password-stdin < password
    """
    with _opened(store) as (control, actor):
        first = not usecase.users(control)
        password = sys.stdin.readline().rstrip("\n") if password_stdin else None
        user = usecase.add_user(control, name, role, password, actor, now())
        sys.stdout.write(f"{user.name}: {user.roles}\n")
        if first:
            sys.stderr.write(
                f"from now on changes want a token. This one is {escape(name)}'s, shown once: export KAIROS_TOKEN=...\n"
            )
            sys.stdout.write(usecase.make_token(control, name, "the first", 90, Actor(name, frozenset()), now()) + "\n")


@app.command("list")
def list_users(store: RuleStore = None) -> None:
    """Every user with their roles, and how they sign in.

    \b
    Example:
      kairos users list
    """
    with _opened(store) as (control, actor):
        actor.need("look")
        for user in usecase.users(control):
            way = "disabled" if user.disabled else "password" if user.password is not None else "token or OIDC"
            sys.stdout.write(f"{escape(user.name):<24} {way:<14} {user.roles}\n")


@app.command()
def roles(name: Name, role: Roles, store: RuleStore = None) -> None:
    """Give a user these roles in place of the ones before; what is open in a browser is signed out.

    \b
    Example:
      kairos users roles rita --role author --role reviewer:risk
    """
    with _opened(store) as (control, actor):
        usecase.set_roles(control, name, role, actor, now())
        sys.stdout.write(f"{escape(name)}: {' '.join(sorted(set(role)))}\n")


@app.command()
def password(name: Name, store: RuleStore = None) -> None:
    """Set a password, read from standard input.

    \b
    Example:
      kairos users password rita < password.txt
    """
    with _opened(store) as (control, actor):
        usecase.set_password(control, name, sys.stdin.readline().rstrip("\n"), actor, now())
        sys.stdout.write(f"{escape(name)}: the password is set\n")


@app.command()
def disable(name: Name, store: RuleStore = None) -> None:
    """Let nobody in under this name any more, by password, token or OIDC.

    \b
    Example:
      kairos users disable rita
    """
    with _opened(store) as (control, actor):
        usecase.disable(control, name, actor, now())
        sys.stdout.write(f"{escape(name)}: disabled\n")


@app.command()
def token(
    name: Name,
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3_660, help="So long it is good.")] = 90,
    store: RuleStore = None,
) -> None:
    """Make a token for a program, such as CI. It is shown once, and kept as a hash only.

    \b
    Example:
      kairos users token ann --title CI --days 30
    """
    with _opened(store) as (control, actor):
        sys.stdout.write(usecase.make_token(control, name, title, days, actor, now()) + "\n")


@app.command("tokens")
def list_tokens(store: RuleStore = None) -> None:
    """Your tokens; as an admin all of them.

    \b
    Example:
      kairos users tokens
    """
    with _opened(store) as (control, actor):
        for each in usecase.tokens(control, actor):
            until = datetime.fromtimestamp(each.expires_at / 1000, UTC).date()
            state = "revoked" if each.revoked else f"until {until}"
            sys.stdout.write(f"{each.id}  {escape(each.user):<24} {state:<18} {escape(each.title)}\n")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id, as `tokens` shows it.")], store: RuleStore = None
) -> None:
    """Make a token worthless at once.

    \b
    Example:
      kairos users revoke 4f1d09c2
    """
    with _opened(store) as (control, actor):
        usecase.revoke_token(control, token, actor, now())
        sys.stdout.write(f"{escape(token)}: revoked\n")


@contextmanager
def _opened(store: str | None) -> Iterator[tuple[Control, Actor]]:
    with told():
        where = rule_store(store)
        actor = acting(where)
        with Control(where) as control:
            yield control, actor
