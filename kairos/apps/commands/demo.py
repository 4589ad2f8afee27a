"""`kairos demo`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.console import escape, fail, say
from kairos.apps.native.settings import ServiceError, data_folder

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_SECONDS = {"s": 1, "m": 60, "h": 3_600}


@app.callback()
def demo() -> None:
    """Stories told by the real thing: servers, job and workers of their own, in the data folder."""


@app.command()
def fallback(
    after: Annotated[str, typer.Option(help="How long a text message waits for WeChat; the rule says 5m.")] = "10s",
    rules: Annotated[Path, typer.Option(help="The rule folder that is played.")] = Path("demos/fallback/rules"),
) -> None:
    """WeChat first, a text message where that fails or does not arrive in time.

    Starts what it needs on free ports, shows each step, stops it all. Exits with 0 only when every text message that
    was due arrived once, and no other did.

    \b
    Examples:
      kairos demo fallback
      kairos demo fallback --after 5m          at its own pace
    """
    from kairos.apps.demo.fallback import Fallback
    from kairos.apps.demo.observer import StoryError

    match = re.fullmatch(r"([1-9]\d*)([smh])", after)
    if match is None:
        fail(f"--after {escape(after)}: expected a duration such as 10s or 5m")
    if not rules.is_dir():
        fail(f"no rule folder {escape(str(rules))}; run it where the project lies, or name one with --rules")
    story = Fallback(data_folder() / "demo-fallback", rules, after, int(match[1]) * _SECONDS[match[2]], typer.echo)
    try:
        good = story.run()
    except (ServiceError, StoryError) as error:
        say(f"the story broke off: {escape(str(error))}; what the programs said is in {story.logs()}")
        raise typer.Exit(1) from None
    typer.echo("\nas it should be" if good else "\nnot as it should be")
    raise typer.Exit(0 if good else 1)
