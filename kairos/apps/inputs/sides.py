"""The two sides of a comparison, as the arguments of a command name them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.rules.side import NamedRules, named_rules
from kairos.apps.inputs.installation import installed
from kairos.apps.inputs.moments import TIME
from kairos.apps.inputs.people import rules_of
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail
from kairos.usecases.errors import reason_of

A = Annotated[str, typer.Argument(help="A rule folder, a release (STORE@12), or a version (ACTIVITY@HASH).")]
B = Annotated[str, typer.Argument(help="What to compare it with.")]
Since = Annotated[str | None, typer.Option("--from", help=f"Count decisions from then on: {TIME}.")]
Until = Annotated[str | None, typer.Option("--to", help="Count decisions before this time.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Sets one value of a side, as in B:activities.cart_left.within=30m, B:policy.caps. ..."),
]
Store = Annotated[str | None, typer.Option(envvar="KAIROS_RULE_STORE", help="Where ACTIVITY@HASH is; else --conf's.")]
Out = Annotated[Path | None, typer.Option(help="A folder: differences.jsonl goes there.")]
"""Options of every command that compares."""


def sides_of(a: str, b: str, store: str | None, sets: list[str]) -> tuple[NamedRules, NamedRules]:
    """`sets`: `A:PATH=VALUE` or `B:PATH=VALUE`. `store` None: that of the installation, where there is one. What cannot
    be used ends the command."""
    overrides: dict[str, dict[str, str]] = {"A": {}, "B": {}}
    for word in sets:
        path, equals, value = word.partition("=")
        side, colon, path = path.partition(":")
        if not equals or not colon or side not in overrides:
            fail(f"--set {escape(word)}: expected A:PATH=VALUE or B:PATH=VALUE")
        overrides[side][path] = value
    try:
        with told():
            conf = installed()
            store = rules_of(conf) if store is None and conf is not None else store
            return named_rules(a, store, overrides["A"]), named_rules(b, store, overrides["B"])
    except OSError as error:
        fail(f"the rules: {escape(str(error.filename or ''))}: {reason_of(error)}")
