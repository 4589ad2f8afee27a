"""`kairos warehouse load | forget | trim | compact`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.crowds.places import folder_of
from kairos.apps.inputs.acting import Log, writing
from kairos.apps.inputs.files import bad_line_teller, tell_strange, valid_rules
from kairos.apps.inputs.installation import installed
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.status import Status
from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, escape, fail, progress_bar, quote, say
from kairos.engine.rule.text.scalars import parse_duration
from kairos.errors import KairosError
from kairos.usecases.events import BadLine
from kairos.usecases.people.forget import forget_in_warehouse
from kairos.usecases.warehouse.care import compact, trim_by
from kairos.usecases.warehouse.load import Files, Loaded, load_files

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Into = Annotated[Path | None, typer.Option(help="The warehouse's folder; else --conf's, else the data folder's.")]
Rules = Annotated[Path, typer.Option(help="The rule folder: what each version of an activity means.")]
Lines = Annotated[list[Path] | None, typer.Option(help="JSON lines; `.gz` is unpacked. May be given more than once.")]
Profiles = Annotated[Path | None, typer.Option(help="Profiles by user id, JSON.")]
Follow = Annotated[bool, typer.Option("--follow", help="Load what is in Kafka, and what comes.")]
UntilNow = Annotated[bool, typer.Option("--until-now", help="Load what is in Kafka, and end.")]
Ledger = Annotated[str | None, typer.Option(help="The ledger of delivery, as an SQLAlchemy URL.")]


def default_warehouse() -> Path:
    """That of the installation, else the data folder's. Raises SettingsError."""
    return folder_of(installed()) or data_folder() / "warehouse"


@app.callback()
def warehouse() -> None:
    """Keep what was decided, sent and done, as Parquet files that SQL can be asked about.

    \b
    Examples:
      kairos warehouse load --follow --conf conf/local.yaml
      kairos warehouse trim --keep 400d
    """


@app.command("load")
def load_command(
    into: Into = None,
    rules: Rules = Path("rules"),
    events: Lines = None,
    decisions: Lines = None,
    receipts: Lines = None,
    profiles: Profiles = None,
    ledger: Ledger = None,
    follow: Follow = False,
    until_now: UntilNow = False,
    conf: Annotated[Path, typer.Option(help="Of what is followed: Kafka, rules, warehouse.")] = Path("conf/local.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    status: Status = None,
) -> None:
    """Load files, or follow Kafka. To load something twice, or in parts, or in another order, changes nothing.

    A line that is wrong is reported on standard error and left out; everything else becomes visible at once, at the
    end.

    \b
    Examples:
      kairos warehouse load --events events.jsonl.gz \\
        --decisions decisions.jsonl --receipts receipts.jsonl
      kairos warehouse load --into /data/warehouse --rules rules/ \\
        --profiles users.json
      kairos warehouse load --follow --conf conf/local.yaml       until Ctrl-C
      kairos warehouse load --until-now --conf conf/local.yaml    what is there
    """
    if follow or until_now:
        if events or decisions or receipts or profiles or ledger:
            fail(
                "what follows Kafka takes no files: events, decisions, receipts, profiles and ledger are in the --conf"
            )
        _follow(conf, set or [], into, until_now=until_now, status=status)
        return
    files = Files(events or (), decisions or (), receipts or (), profiles, ledger)
    with told():
        rule_set, _ = valid_rules(rules)
        strange = partial(tell_strange, profiles)
        done = load_files(into or default_warehouse(), rule_set, files, _broken(), strange, progress_bar)
    say(summary(done))


def _follow(conf: Path, overrides: list[str], into: Path | None, *, until_now: bool, status: str | None) -> None:
    from redis import RedisError

    from kairos.apps.warehouse.follow import run

    try:
        run(
            conf,
            overrides,
            into,
            lambda done: say(summary(done)),
            lambda place, reason: say(f"{escape(place)}: {quote(reason)}"),
            until_now=until_now,
            status=status,
        )
    except (KairosError, RedisError, OSError) as error:
        fail(escape(str(error)))


def _broken() -> Callable[[str, int, str, bytes], None]:
    tell = bad_line_teller()

    def told_of(name: str, line: int, reason: str, content: bytes) -> None:
        tell(BadLine(name, line, "invalid", reason, content))

    return told_of


def summary(done: Loaded) -> str:
    """What was read and what of it was new, in one line, and the notes."""
    parts = [f"{name} {read:,} ({done.new[name]:,} new)" for name, read in done.read.items()]
    if done.broken:
        parts.append(f"{count(done.broken, 'invalid line')} left out")
    return "\n".join([*map(escape, done.notes), ", ".join(parts)])


Where = Annotated[Path | None, typer.Option("--warehouse", help="Its folder; else --conf's, else the data folder's.")]


@app.command("forget")
def forget_command(
    user: Annotated[str, typer.Argument(help="The user id.")], warehouse: Where = None, store: Log = None
) -> None:
    """Erase a person: every row about this user, in every table.

    What is loaded later is loaded: erase her where the files come from, too.

    \b
    Example:
      kairos warehouse forget u1
    """
    with told():
        gone = forget_in_warehouse(warehouse or default_warehouse(), user, writing(store), now(), store)
    rows = ", ".join(f"{name} {number:,}" for name, number in gone.items())
    say(f"{quote(user)}: {rows} erased" if rows else f"{quote(user)}: there is nothing about this user")


@app.command("trim")
def trim_command(
    keep: Annotated[str, typer.Option(help="How far back from the newest event, as 400d.")],
    warehouse: Where = None,
    store: Log = None,
) -> None:
    """Remove whole days that are too old.

    \b
    Example:
      kairos warehouse trim --keep 400d
    """
    period = parse_duration(keep)
    if period is None:
        fail(f"--keep {escape(keep)}: expected a duration such as 400d")
    with told():
        days = trim_by(warehouse or default_warehouse(), period, actor=writing(store), now=now(), log=store)
    say(f"{count(len(days), 'day')} removed" + (f", {days[0]} to {days[-1]}" if days else ""))


@app.command("compact")
def compact_command(warehouse: Where = None) -> None:
    """Make one file of many small ones of a day. `load` does so by itself.

    \b
    Example:
      kairos warehouse compact
    """
    with told():
        files = compact(warehouse or default_warehouse())
    say(f"{count(files, 'file')} put together")
