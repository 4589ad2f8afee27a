"""Which rule store a command is about."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.inputs.installation import installed
from kairos.apps.inputs.people import rules_of
from kairos.apps.native.settings import data_folder
from kairos.apps.view.terminal import escape, say

RuleStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="KAIROS_RULE_STORE",
        help="A database address, or a folder that the job watches; else as --conf says, else rules.db in the "
        "data folder.",
    ),
]


def rule_store(store: str | None) -> str:
    """The one that was named, or the default, which is said then. Raises SettingsError."""
    if store is not None:
        return store
    conf = installed()
    if conf is not None:
        say(f"the rule store is that of {escape(str(conf))}")
        return rules_of(conf)
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    default = f"sqlite:///{folder / 'rules.db'}"
    say(f"the rule store is {default}")
    return default
