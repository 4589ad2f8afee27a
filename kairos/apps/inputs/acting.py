"""Who gives a command: by token, once the rule store has users."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.apps.inputs.author import user_name
from kairos.apps.inputs.installation import installed
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import rules_of
from kairos.apps.view.errors import told
from kairos.usecases.control.rights import Actor
from kairos.usecases.control.sign_in import who

TOKEN = "KAIROS_TOKEN"


def _log_of(store: str | None) -> str | None:
    """What is written is the installation's, so its users are asked."""
    conf = installed()
    if store is not None or conf is None:
        return store
    with told():
        return rules_of(conf)


_OPTION = {
    "envvar": "KAIROS_RULE_STORE",
    "help": "The rule store whose users may do it, and whose log has it; else as --conf says.",
}
Log = Annotated[str | None, typer.Option("--store", callback=_log_of, **_OPTION)]
NamedLog = Annotated[str | None, typer.Option("--store", **_OPTION)]
"""The same where the command itself reads its --conf (`inputs.kafka.log_of`)."""


def acting(store: str, author: str | None = None) -> Actor:
    """`author`: the name to be written down where nobody has to prove it. Raises NotAllowedError, RuleStoreError."""
    with Control(store) as control:
        return who(control, os.environ.get(TOKEN) or None, author or user_name(), now())


def writing(log: str | None) -> Actor:
    """The same of whoever writes people. `log`: the rule store in whose log it stands; None: nobody has to prove
    anything. Raises NotAllowedError, RuleStoreError."""
    return acting(log) if log is not None else Actor(user_name())
