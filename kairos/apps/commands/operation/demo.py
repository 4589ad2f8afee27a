"""`kairos demo`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kairos.apps.native.settings import ServiceError, data_folder
from kairos.apps.view.terminal import escape, fail, fitted, say

if TYPE_CHECKING:
    from kairos.apps.demo.story import Pace, Story

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_HANG = 33
"""Columns before the words of a fact."""
_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_RULES = typer.Option("--rules", help="The rule folder that is played.")


@app.callback()
def demo() -> None:
    """Stories told by the real thing: servers, job and workers of their own, in the data folder.

    \b
    Example:
      kairos demo order-sms
    """


@app.command("order-sms")
def order_sms(
    within: Annotated[str, typer.Option(help="How long an order may be unpaid; the rule says 10m.")] = "15s",
    rules: Annotated[Path, _RULES] = Path("demos/order-sms/rules"),
) -> None:
    """An order in RabbitMQ that nobody pays becomes a text message with the buyer's name.

    Starts what it needs on free ports, shows each step, stops it all. Exits with 0 only when the one text message that
    was due arrived once, and none about the order that was paid.

    \b
    Examples:
      kairos demo order-sms
      kairos demo order-sms --within 10m       at its own pace
    """
    from kairos.apps.demo.order_sms import OrderSms

    pace = _pace("--within", within)
    _play(OrderSms(data_folder() / "demo-order-sms", _folder(rules), pace, _tell))


@app.command()
def fallback(
    after: Annotated[str, typer.Option(help="How long a text message waits for WeChat; the rule says 5m.")] = "10s",
    rules: Annotated[Path, _RULES] = Path("demos/fallback/rules"),
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

    pace = _pace("--after", after)
    _play(Fallback(data_folder() / "demo-fallback", _folder(rules), pace, _tell))


def _tell(text: str) -> None:
    """On a terminal what is too long for a line goes on below it, under where its words begin."""
    for line in text.split("\n"):
        typer.echo(fitted(line, hang=_HANG))


def _pace(option: str, text: str) -> Pace:
    from kairos.apps.demo.story import Pace

    match = re.fullmatch(r"([1-9]\d*)([smh])", text)
    if match is None:
        fail(f"{option} {escape(text)}: expected a duration such as 10s or 5m")
    return Pace(text, int(match[1]) * _SECONDS[match[2]])


def _folder(rules: Path) -> Path:
    if not rules.is_dir():
        fail(f"no rule folder {escape(str(rules))}; run it where the project lies, or name one with --rules")
    return rules


def _play(story: Story) -> None:
    from kairos.apps.demo.observer import StoryError

    try:
        good = story.run()
    except (ServiceError, StoryError) as error:
        say(f"the story broke off: {escape(str(error))}; what the programs said is in {story.logs()}")
        raise typer.Exit(1) from None
    typer.echo(f"\n{story.further}")
    typer.echo("\nas it should be" if good else "\nnot as it should be")
    raise typer.Exit(0 if good else 1)
