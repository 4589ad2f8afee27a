"""`kairos consent`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kairos.adapters.settings.delivery import load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.engine.profile.topics import Word
from kairos.usecases.people.consents import set_consent

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

ConfFile = Annotated[Path, typer.Option(help="The configuration, with `profiles.redis` and `rules.store`.")]


@app.callback()
def consent() -> None:
    """What users say of topics, such as a newsletter (topics.yaml).

    \b
    Example:
      kairos consent set u7 news off
    """


@app.command("set")
def set_(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    topic: Annotated[str, typer.Argument(help="A topic of the newest release.")],
    word: Annotated[Literal["on", "off"], typer.Argument(help="on: the user agrees; off: the user leaves.")],
    conf: ConfFile = Path("conf/local.yaml"),
) -> None:
    """Write down that a user agrees to a topic, or leaves it, with the time and your name.

    The newest word counts, whoever wrote it down: you, an event `consent.changed`, or the link in a message. An import
    of profiles never takes a no back. The job heeds it within `profiles.ttl`, the workers at once.

    \b
    Examples:
      kairos consent set u7 news off
      kairos consent set u7 news on --conf conf/local.yaml
    """
    with told():
        settings = load(conf)
        set_consent(settings, user, topic, Word(word == "on", now()), acting(settings.rules.store))
    sys.stdout.write(f"{escape(user)}: {escape(topic)} is {word}\n")
