"""`kairos replay`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.inputs.acting import NamedLog, writing
from kairos.apps.inputs.files import read_events
from kairos.apps.inputs.kafka import Broker, ConfFile, Overrides, kafka_of, log_of
from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, progress_bar, say
from kairos.usecases.operation.dataset.clickstream import prepare
from kairos.usecases.operation.replay import replay as run

app = typer.Typer(rich_markup_mode=None)

TOLD_SECONDS = 10
"""How often a line of progress comes where there is no terminal."""


def _speed(text: str) -> float:
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"'{text}' is not a speed; expected a number above 0 such as 60x")
    return speed


@app.command()
def replay(
    file: Annotated[Path | None, typer.Argument(help="Events, JSON Lines; default: the example clickstream.")] = None,
    speed: Annotated[str, typer.Option(help="How many times faster than they happened.")] = "60x",
    conf: ConfFile = None,
    set: Overrides = None,
    kafka: Broker = None,
    source: Annotated[str, typer.Option(help="Source of events that name none.")] = "replay",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many events.")] = None,
    store: NamedLog = None,
) -> None:
    """Feed a file of events into Kafka as live traffic, shifted to now.

    At 60x an hour of the file passes in a minute. Each event is stamped with the time at which it is sent, so a rule's
    10 minutes are 10 minutes of the clock, not of the file.

    \b
    Examples:
      kairos replay                   the example clickstream, 60 times faster
      kairos replay events.jsonl --speed 3600x    an hour a second
    """
    pace = _speed(speed)
    with told():
        log = log_of(store, conf, set)
        actor = writing(log)
    path = file or _example()
    with told():
        events = sorted(read_events(path, None).all, key=lambda event: event.order)[:limit]
    if not events:
        fail(f"{path}: no events in it")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    days = (events[-1].time - events[0].time) / 86_400_000
    say(f"{len(events):,} events over {days:,.1f} days, to be sent in {_duration(days * 86_400 / pace)}")
    with told(), progress_bar("sent", len(events)) as bar:
        address, heard = kafka_of(kafka, conf, set), bar or _Lines(len(events))
        run(events, pace, address, source, heard, actor=actor, log=log, file=path.name)
    say(f"{len(events):,} events sent")


def _example() -> Path:
    with told():
        return prepare(data_folder() / "data").events


class _Lines:
    """Progress for a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._next = time.monotonic() + TOLD_SECONDS

    def __call__(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TOLD_SECONDS
            say(f"{done:,} of {self._total:,} events sent")


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if seconds >= 60 else f"{seconds:.0f} s"
