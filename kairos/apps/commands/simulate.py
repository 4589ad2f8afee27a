"""`kairos simulate`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from kairos.apps.console import escape, fail, progress_bar, reason_of, say
from kairos.apps.event_input import EventInput, read_profile_file
from kairos.apps.rule_folder import count, valid_rules
from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.simulate import Simulation

app = typer.Typer(rich_markup_mode=None)

Rules = Annotated[Path, typer.Argument(help="The rule folder.")]
Events = Annotated[
    Path, typer.Argument(help="Events, one JSON object a line. `.gz` is unpacked, `-` is standard input.")
]
Profiles = Annotated[
    Path | None, typer.Option(help="Profiles by user id, JSON. Without it every channel is reachable.")
]
Out = Annotated[Path | None, typer.Option(help="Where the decisions go; else standard output.")]
AsArrived = Annotated[bool, typer.Option("--as-arrived", help="In file order with the lateness, as the job has it.")]

_AT_ONCE = 1024  # records written together


@app.command()
def simulate(
    rules: Rules, events: Events, profiles: Profiles = None, out: Out = None, as_arrived: AsArrived = False
) -> None:
    """Play a file of events through the rules and print every decision, one JSON object a line.

    Time is that of the events, in order, and runs on to the last timer. Drafts run as if they were live. What is wrong
    with an event is reported on standard error and stops nothing. Exits with 2 when the rules have an error.

    \b
    Examples:
      kairos simulate rules/ events.jsonl
      kairos simulate rules/ events.jsonl.gz --profiles users.json --out decisions.jsonl
    """
    rule_set, _ = valid_rules(rules)
    people = read_profile_file(profiles) if profiles else None
    gc.disable()  # what is read has no cycles, and there may be millions of it
    given = EventInput(events, rule_set.sources)
    simulation = Simulation(rule_set, people, on_duplicate=given.report_duplicate)
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 100)
    run = simulation.run_as_arrived if as_arrived else simulation.run
    with _output(out, events) as stream, _progress(given.events, out) as tell:
        written = write_records(run(given.events), stream, tell)
    say(summary(given, written))


def write_records(records: Iterable[Record], stream: BinaryIO, tell: Callable[[int], object] | None = None) -> int:
    """One JSON object a line; how many. `tell` hears now and then to what event time it got."""
    encode_lines = msgspec.json.Encoder().encode_lines
    written = 0
    records = iter(records)
    while chunk := list(islice(records, _AT_ONCE)):
        stream.write(encode_lines(chunk))
        written += len(chunk)
        if tell is not None:
            tell(chunk[-1].at)
    stream.flush()
    return written


@contextmanager
def _progress(events: list[Event], out: Path | None) -> Iterator[Callable[[int], object] | None]:
    """A bar over event time, unless the decisions themselves go to the terminal."""
    if not events or (out is None and sys.stdout.isatty()):
        yield None
        return
    first, last = (pick(event.time for event in events) for pick in (min, max))
    with progress_bar("deciding", last - first) as tell:
        yield tell and (lambda time: tell(min(time, last) - first))


@contextmanager
def _output(path: Path | None, events: Path) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        return
    if path.exists() and events.exists() and path.samefile(events):
        fail(f"--out {escape(str(path))} is the file of events itself")
    try:
        stream = path.open("wb")
    except OSError as error:
        fail(f"--out {escape(str(path))}: {reason_of(error)}")
    with stream:
        yield stream


def summary(given: EventInput, decisions: int) -> str:
    """What was read and what came of it, in one line."""
    problems = [
        f"{count(number, noun)} left out"
        for number, noun in ((given.problems["invalid"], "invalid line"), (given.problems["duplicate"], "duplicate"))
        if number
    ]
    read = ", ".join([count(len(given.events), "event"), *problems])
    return f"{read}: {count(decisions, 'decision')}"
