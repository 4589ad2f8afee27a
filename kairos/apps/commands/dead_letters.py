"""`kairos dead-letters`."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.console import escape, fail, quote, say

if TYPE_CHECKING:
    from kairos.adapters.dead_letters import Found
    from kairos.apps.delivery.replay import Wanted
    from kairos.apps.delivery.settings import Conf

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

LOCAL = Path("conf/local.yaml")

Places = Annotated[list[str] | None, typer.Argument(metavar="[PLACE]...", help="As `list` shows them; default: all.")]
ConfFile = Annotated[Path, typer.Option(help="The configuration of the job and the workers.")]
Channel = Annotated[str | None, typer.Option(help="Deliveries of this channel only.")]
Reason = Annotated[str | None, typer.Option(help="Why it is dead: rejected, malformed, late, ...")]
Activity = Annotated[str | None, typer.Option(help="Deliveries of this activity only.")]
User = Annotated[str | None, typer.Option(help="Those of this user only.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many.")]


@app.callback()
def dead_letters() -> None:
    """Events and deliveries that could not be used: look at them, and send them again."""


@app.command("list")
def list_letters(
    places: Places = None,
    conf: ConfFile = LOCAL,
    run: Annotated[Path | None, typer.Option(help="The output folder of a run on files, instead of Kafka.")] = None,
    channel: Channel = None,
    reason: Reason = None,
    activity: Activity = None,
    user: User = None,
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with the whole record.")] = False,
) -> None:
    """Each dead letter: its place, when it came, why it is dead, whose it is.

    \b
    Examples:
      kairos dead-letters list --channel sms --reason retries_exhausted
      kairos dead-letters list --run .kairos/run --json
    """
    wanted = _wanted(places, channel, reason, activity, user)
    for found in _found(conf, run, wanted, limit):
        sys.stdout.write((msgspec.json.encode(found).decode() if as_json else _line(found)) + "\n")


@app.command()
def replay(
    places: Places = None,
    conf: ConfFile = LOCAL,
    channel: Channel = None,
    reason: Reason = None,
    activity: Activity = None,
    user: User = None,
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
    from kairos.adapters.delivery_database import DatabaseError
    from kairos.adapters.kafka_posts import KafkaAwayError
    from kairos.adapters.ledger import LedgerAwayError
    from kairos.adapters.sources import SourceStoreError
    from kairos.apps.access.intake import UnavailableError

    wanted = _wanted(places, channel, reason, activity, user)
    if wanted.anything and not everything:
        raise typer.BadParameter("say which: by place, --channel, --reason, --activity, --user, or --all")
    try:
        sent, refused = _replay(conf, list(_found(conf, None, wanted, limit)))
    except (SettingsError, DatabaseError, LedgerAwayError, KafkaAwayError, SourceStoreError) as error:
        fail(escape(str(error)))
    except UnavailableError as error:
        fail(f"{escape(str(error))}; what was not sent is still there: do it again")
    say(f"{sent:,} sent again" + (f", {refused:,} not" if refused else ""))
    raise typer.Exit(1 if refused else 0)


def _replay(conf: Path, letters: list[Found]) -> tuple[int, int]:
    from kairos.adapters.dead_letters import NotReplayableError
    from kairos.adapters.delivery_database import create_tables, open_engine
    from kairos.adapters.kafka_posts import KafkaPosts
    from kairos.adapters.sql_ledger import SqlLedger
    from kairos.apps.access.again import Doors, source_of
    from kairos.apps.delivery.process import kafka_of
    from kairos.apps.delivery.replay import replay as again
    from kairos.apps.gateway.settings import load as gateway_settings

    settings = _load(conf)
    engine = open_engine(settings.delivery.store)
    create_tables(engine)
    ledger, sent = SqlLedger(engine), 0
    posts = KafkaPosts(kafka_of(settings), "", "kairos-dead-letters")
    with Doors(lambda: gateway_settings(conf), str(conf), _now) as doors:
        for found in letters:
            try:
                if (source := source_of(found)) is not None:
                    doors.send(source, found.letter)
                else:
                    posts.write([again(found, ledger, _now())])
                sent += 1
            except NotReplayableError as error:
                say(f"{escape(found.place)}: {escape(str(error))}")
    posts.close()
    return sent, len(letters) - sent


def _now() -> int:
    return time.time_ns() // 1_000_000


def _found(conf: Path, run: Path | None, wanted: Wanted, limit: int | None) -> Iterator[Found]:
    from kairos.adapters.dead_letters import of_folder, of_kafka
    from kairos.adapters.kafka_client import client_options
    from kairos.adapters.kafka_topics import KafkaUnreachableError, check_kafka
    from kairos.apps.delivery.process import kafka_of

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is in our own message
    try:
        if run is None:
            kafka = kafka_of(_load(conf))
            check_kafka(kafka.bootstrap)
            letters = of_kafka(client_options(kafka), kafka.prefix)
        elif run.is_dir():
            letters = of_folder(run)
        else:
            fail(f"the run {escape(str(run))}: there is no such folder")
        yield from islice((found for found in letters if found in wanted), limit)
    except (SettingsError, KafkaUnreachableError, OSError) as error:
        fail(escape(str(error)))


def _load(conf: Path) -> Conf:
    from kairos.apps.delivery.settings import load

    return load(conf)


def _wanted(places: list[str] | None, *choice: str | None) -> Wanted:
    from kairos.apps.delivery.replay import Wanted

    return Wanted(frozenset(places or ()), *choice)


def _line(found: Found) -> str:
    letter = found.letter
    moment = datetime.fromtimestamp(letter.ts / 1000, UTC)
    whose = " ".join(escape(part) for part in (found.user, found.activity) if part)
    return (
        f"{escape(found.place)}  {moment:%Y-%m-%d %H:%M:%S}  {escape(letter.reason)}  {whose}  {quote(letter.message)}"
    )
