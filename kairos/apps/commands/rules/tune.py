"""`kairos tune`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from kairos.apps.view.errors import told
from kairos.apps.view.screen import lay, put, screen, table
from kairos.apps.view.terminal import escape, fail, progress_bar, say
from kairos.engine.rule.text.scalars import parse_duration
from kairos.usecases.errors import reason_of
from kairos.usecases.rules.compare import History
from kairos.usecases.rules.people_then import told_of_file
from kairos.usecases.rules.tune import Setting, Wish, best, tune, values_of

app = typer.Typer(rich_markup_mode=None)

_WISH = re.compile(r"([0-9]+)/([0-9]+[smhdw])")


@app.command("tune")
def command(
    rules: Annotated[str, typer.Argument(help="The rule folder.")],
    events: Annotated[Path, typer.Argument(help="Events, one JSON object a line. `.gz` is unpacked.")],
    sets: Annotated[list[str], typer.Option("--set", help="PATH=1..5 or PATH=5m,10m,30m: the values to try.")],
    profiles: Annotated[Path | None, typer.Option(help="Profiles by user id, JSON.")] = None,
    at_most: Annotated[str | None, typer.Option(help="A wish: 500/7d is at most 500 sends in any seven days.")] = None,
    form: Annotated[Literal["table", "json"], typer.Option("--format")] = "table",
) -> None:
    """Play the same events under every combination of values; tell what each would have sent.

    With a wish the combination is named that meets it and reaches the most users. Exits with 1 where none does.

    \b
    Examples:
      kairos tune rules/ .kairos/data/ecom.jsonl \\
        --set policy.caps.marketing.rules.0.max=1..5 --at-most 500/7d
      kairos tune rules/ .kairos/data/ecom.jsonl \\
        --set activities.cart_left.within=10m,30m,1h
    """
    wish = _wish(at_most)
    try:
        with told():
            choices = {path: values_of(values) for path, _, values in (word.partition("=") for word in sets)}
            settings = tune(rules, History(events, profiles), choices, wish, progress_bar)
    except OSError as error:
        fail(f"the rules: {escape(str(error.filename or ''))}: {reason_of(error)}")
    chosen = best(settings, wish) if wish else None
    if unknown := told_of_file(sorted({crowd for setting in settings for crowd in setting.unknown})):
        say(unknown)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.encode({"settings": settings, "best": chosen}) + b"\n")
    else:
        _table(settings, chosen, wish)
    raise typer.Exit(1 if wish and chosen is None else 0)


def _wish(text: str | None) -> Wish | None:
    if text is None:
        return None
    parts = _WISH.fullmatch(text)
    length = parse_duration(parts[2]) if parts else None
    if parts is None or length is None:
        fail(f"--at-most {escape(text)}: expected a number and a duration, such as 500/7d")
    return Wish(int(parts[1]), length)


def _table(settings: list[Setting], chosen: Setting | None, wish: Wish | None) -> None:
    console = screen()
    paths = list(settings[0].values)
    costly = any(one.cost is not None for one in settings)
    names = [*paths, "sends", "users", "suppressed", *(["cost"] if costly else []), *(["busiest"] if wish else [])]
    rows = table(*names, "", ruled=False)
    for one in settings:
        numbers = [f"{number:,}" for number in (one.sends, one.users, one.suppressed)]
        numbers += [f"{one.cost or 0:,.2f}"] if costly else []
        numbers += [f"{one.busiest or 0:,}"] if wish else []
        mark = "<- best" if one is chosen else ""
        rows.add_row(*(one.values[path] for path in paths), *numbers, mark)
    lay(console, rows)
    if wish and chosen is None:
        put(console, f"No combination sends at most {wish.most:,} in that time.")
