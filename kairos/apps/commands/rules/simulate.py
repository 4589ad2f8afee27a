"""`kairos simulate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import msgspec
import typer

from kairos.apps.inputs.files import read_events, read_profiles, valid_rules
from kairos.apps.view.alarms import line_of
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, escape, fail, keep_private, progress_bar, quote, say
from kairos.engine.alarm.fact import Fact
from kairos.engine.catalog.item import UNUSED
from kairos.engine.decision import Record
from kairos.engine.iso_time import parse_time
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.scalars import epoch_ms, parse_moment
from kairos.usecases.errors import reason_of
from kairos.usecases.events import many_objects
from kairos.usecases.progress import silent
from kairos.usecases.rules import simulate as usecase
from kairos.usecases.rules.people_then import told_of_file, unknown_in_file

app = typer.Typer(rich_markup_mode=None)

Rules = Annotated[Path, typer.Argument(help="The rule folder.")]
Events = Annotated[
    Path, typer.Argument(help="Events, one JSON object a line. `.gz` is unpacked, `-` is standard input.")
]
Profiles = Annotated[
    Path | None, typer.Option(help="Profiles by user id, JSON. Without it every channel is reachable.")
]
Out = Annotated[Path | None, typer.Option(help="Where the decisions go; else standard output.")]
Until = Annotated[
    str | None,
    typer.Option(help="Where the file ends, in the policy's zone without an offset; else at its last event."),
]
ToldAlarms = Annotated[bool, typer.Option("--alarms", help="Say too what the alarms of alarms.yaml would have said.")]
AsArrived = Annotated[bool, typer.Option("--as-arrived", help="In file order with the lateness, as the job has it.")]


@app.command()
def simulate(
    rules: Rules,
    events: Events,
    profiles: Profiles = None,
    out: Out = None,
    until: Until = None,
    as_arrived: AsArrived = False,
    alarms: ToldAlarms = False,
) -> None:
    """Play a file of events through the rules and print every decision, one JSON object a line.

    Time is that of the events, in order, and runs on to the last timer: decisions after the last event, which nobody
    knows what would have cancelled, are marked `after_end`. Drafts run as if they were live. What is wrong with an
    event is reported on standard error and stops nothing. Exits with 2 when the rules have an error.

    \b
    Examples:
      kairos simulate rules/ .kairos/data/ecom.jsonl
      kairos simulate rules/ .kairos/data/ecom.jsonl \\
        --profiles .kairos/data/profiles.json --out decisions.jsonl
      kairos simulate rules/ .kairos/data/ecom.jsonl --until 2024-03-01T00:00
    """
    keep_private()
    with told():
        rule_set, loaded = valid_rules(rules)
        end = _moment(until, rule_set) if until is not None else None
        people = read_profiles(profiles, rule_set.profile) if profiles else None
        _need_folder(out)
        with many_objects():
            given = read_events(events, rule_set.sources)
        with _output(out, events) as stream:
            write = msgspec.json.Encoder().encode_lines
            # No bar where the decisions themselves go to the terminal.
            progress = silent if out is None and sys.stdout.isatty() else progress_bar
            facts: list[Fact] = []

            def take(records: Sequence[Record]) -> None:
                stream.write(write(records))
                if alarms:
                    from kairos.usecases.alarms.replay import facts_of  # statistics, half a second to import

                    facts.extend(facts_of(records))

            done = usecase.simulate(rule_set, given, people, take, end=end, as_arrived=as_arrived, progress=progress)
            stream.flush()
    say(summary(done))
    if unknown := told_of_file(unknown_in_file(rule_set, people)):
        say(unknown)
    for user in done.nobody:
        say(f"a user is called '{user}': that is what a script sends that does not know its user, so many may be in it")
    for name, number in done.catalogs.items():
        say(f"catalogs: {number:,} {UNUSED[name]}")
    if alarms:
        from kairos.usecases.alarms.replay import played

        for change in played(facts, loaded.alarms, rule_set, done.end):
            say(line_of(change, ZoneInfo(rule_set.policy.timezone)))
    for name, dropped in done.dropped.items():
        say(f"{name}: {count(dropped, 'open match', 'open matches')} not kept, beyond what one user may have")


def _moment(text: str, rules: RuleSet) -> int:
    """Epoch ms of `--until`."""
    local = parse_moment(text)
    at = epoch_ms(local, ZoneInfo(rules.policy.timezone)) if local is not None else parse_time(text)
    if at is None:
        fail(f"--until: expected a moment such as 2026-12-01T00:00, found {quote(text, 40)}")
    return at


def _need_folder(out: Path | None) -> None:
    """Before a long file is read."""
    if out is not None and not out.parent.is_dir():
        fail(f"--out {escape(str(out))}: there is no folder {escape(str(out.parent))}")


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


def summary(done: usecase.Simulated) -> str:
    """What was read and what came of it, in one line."""
    left_out = ((done.invalid, "invalid line"), (done.duplicate, "duplicate"), (done.later, "later event"))
    problems = [f"{count(number, noun)} left out" for number, noun in left_out if number]
    read = ", ".join([count(done.events, "event"), *problems])
    beyond = f", {done.beyond:,} after the end of the file ({_utc(done.end)})" if done.beyond else ""
    return f"{read}: {count(done.decisions, 'decision')}{beyond}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
