"""`kairos dead-letters`."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from kairos.adapters.output.dead_letters import Found
from kairos.adapters.settings import gateway
from kairos.adapters.settings.delivery import load
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import moment, now
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, quote, say
from kairos.engine.rule.text.scalars import parse_duration
from kairos.usecases.intake.intake import UnavailableError
from kairos.usecases.operation import dead_letters as usecase
from kairos.usecases.operation.dead_letters import Cause, Wanted, causes, dead_letters_of_run

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

LOCAL = Path("conf/local.yaml")

Places = Annotated[list[str] | None, typer.Argument(metavar="[PLACE]...", help="As `list` shows them; default: all.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration of the job and the workers.")]
Channel = Annotated[str | None, typer.Option(help="Deliveries of this channel only.")]
Reason = Annotated[str | None, typer.Option(help="Why it is dead: rejected, malformed, late, ...")]
Activity = Annotated[str | None, typer.Option(help="Deliveries of this activity only.")]
User = Annotated[str | None, typer.Option(help="Those of this user only.")]
Since = Annotated[
    str | None, typer.Option(metavar="<time>", help="Those no older than this: 2h, 2026-11-30T02:00Z, or a date.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many.")]


@app.callback()
def dead_letters() -> None:
    """Events and deliveries that could not be used: look at them, and send them again.

    \b
    Examples:
      kairos dead-letters list --channel sms
      kairos dead-letters replay --channel sms
    """


@app.command("list")
def list_letters(
    places: Places = None,
    conf: ConfFile = LOCAL,
    run: Annotated[Path | None, typer.Option(help="The output folder of a run on files, instead of Kafka.")] = None,
    channel: Channel = None,
    reason: Reason = None,
    activity: Activity = None,
    user: User = None,
    since: Since = None,
    limit: Limit = None,
    by_reason: Annotated[bool, typer.Option("--by-reason", help="How many of each reason, and the newest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with the whole record.")] = False,
) -> None:
    """Each dead letter: its place, when it came, why it is dead, whose it is.

    \b
    Examples:
      kairos dead-letters list --since 2h --by-reason
      kairos dead-letters list --channel sms --reason retries_exhausted
      kairos dead-letters list --run .kairos/run --json
    """
    wanted = _wanted(places, since, channel, reason, activity, user)
    _quiet()
    with told():
        letters = dead_letters_of_run(run, wanted, limit) if run else usecase.dead_letters(load(conf), wanted, limit)
        for found in causes(letters) if by_reason else letters:
            sys.stdout.write((msgspec.json.encode(found).decode() if as_json else _line(found)) + "\n")


@app.command()
def replay(
    places: Places = None,
    conf: ConfFile = LOCAL,
    channel: Channel = None,
    reason: Reason = None,
    activity: Activity = None,
    user: User = None,
    since: Since = None,
    limit: Limit = None,
    everything: Annotated[bool, typer.Option("--all", help="Without any choice: all there are.")] = False,
) -> None:
    """Send dead letters again: events to the topic they came from, failed deliveries to their worker.

    What the gateway or a bridge refused goes through its source as that is defined now.

    A delivery goes only if the ledger says that it has failed and its time is not over. Its fallback may have gone
    meanwhile: the user then gets both. The dead letters themselves stay where they are. Exits with 1 where some could
    not be sent again; each is named with the reason.

    \b
    Examples:
      kairos dead-letters replay --channel sms --reason retries_exhausted
      kairos dead-letters replay dead-letters.sms/0@17
    """
    wanted = _wanted(places, since, channel, reason, activity, user)
    if wanted.anything and not everything:
        raise typer.BadParameter("say which: by place, --channel, --reason, --activity, --user, --since, or --all")
    _quiet()
    with told():
        try:
            settings = load(conf)
            actor = acting(settings.rules.store)
            done = usecase.replay(settings, lambda: gateway.load(conf), wanted, limit, now, actor, _refused)
        except UnavailableError as error:
            fail(f"{escape(str(error))}; what was not sent is still there: do it again")
    say(f"{done.sent:,} sent again" + (f", {len(done.refused):,} not" if done.refused else ""))
    raise typer.Exit(1 if done.refused else 0)


def _quiet() -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is in our own message


def _refused(place: str, why: str) -> None:
    say(f"{escape(place)}: {escape(why)}")


def _wanted(places: list[str] | None, since: str | None, *choice: str | None) -> Wanted:
    channel, reason, activity, user = choice
    return Wanted(frozenset(places or ()), channel, reason, activity, user, _since(since))


def _since(text: str | None) -> int:
    """Epoch ms. What is neither a time nor a duration ends the command."""
    if text is not None and (ago := parse_duration(text)) is not None:
        return now() - ago
    return moment(text, "--since", ZoneInfo("UTC")) or 0


def _line(found: Found | Cause) -> str:
    if isinstance(found, Cause):
        return f"{found.n:>8,}  {found.channel or 'events':<10}  newest: {_line(found.newest)}"
    letter = found.letter
    moment = datetime.fromtimestamp(letter.ts / 1000, UTC)
    whose = " ".join(escape(part) for part in (found.user, found.activity) if part)
    return (
        f"{escape(found.place)}  {moment:%Y-%m-%d %H:%M:%S}  {escape(letter.reason)}  {whose}  {quote(letter.message)}"
    )
