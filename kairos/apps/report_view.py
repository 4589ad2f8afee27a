"""A report on a terminal, or as plain text where there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kairos.adapters.content import ContentError, Renderer
from kairos.apps.console import escape, quote
from kairos.apps.report import Message, Report, Tally
from kairos.engine.decision import Outcome

EXAMPLES = 6
_OUTCOMES = get_args(Outcome)


def show(report: Report, renderer: Renderer, console: Console) -> None:
    console.print(_decisions(report.tallies))
    _messages(list(report.examples.values()), renderer, console)
    _dead_letters(report, console)
    _files(report, console)


def mask(address: str) -> str:
    """Enough of an address to recognise one's own: `a…@example.com`, `+447…23`."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else f"{address[:4]}…{address[-2:]}"


def _decisions(tallies: Mapping[str, Tally]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Decisions", title_justify="left", title_style="bold")
    table.add_column("activity", no_wrap=True)
    table.add_column("outcome")
    table.add_column("count", justify="right")
    table.add_column("by channel or reason")
    total = Tally()
    for activity, tally in sorted(tallies.items()):
        total.update(tally)
        _add_rows(table, activity, tally)
    table.add_section()
    _add_rows(table, "all", total)
    return table


def _add_rows(table: Table, name: str, tally: Tally) -> None:
    for outcome in sorted(tally.outcomes, key=_OUTCOMES.index):
        counts = tally.outcomes[outcome]
        table.add_row(Text(escape(name), style="bold"), outcome, f"{counts.total():,}", _counted(counts))
        name = ""


def _counted(counts: Counter[str]) -> Text:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Text(", ".join(f"{escape(what)} {number:,}" for what, number in ordered if what))


def _messages(messages: list[Message], renderer: Renderer, console: Console) -> None:
    """One of each activity first, then further channels, until there are EXAMPLES."""
    firsts = {message.activity: message for message in reversed(messages)}
    chosen = sorted(firsts.values(), key=lambda m: m.activity)
    chosen += [message for message in messages if message not in chosen]
    if chosen:
        console.print(Text("Messages, for example", style="bold"))
    for message in chosen[:EXAMPLES]:
        moment = datetime.fromtimestamp(message.at / 1000, UTC)
        to = f" to {escape(mask(message.address))}" if message.address else ""
        console.print(
            Text(f"  {moment:%Y-%m-%d %H:%M} {escape(message.activity)}: {message.channel}{to}", style="cyan")
        )
        for line in _lines(renderer, message):
            console.print(Text(f"    {escape(line)}".rstrip()))
    if chosen:
        console.print()


def _lines(renderer: Renderer, message: Message) -> list[str]:
    try:
        content = renderer.render(message.template, message.channel, message.values or {})
    except ContentError as error:
        return [f"({error})"]
    return [*content.head(), *content.text.splitlines()]


def _dead_letters(report: Report, console: Console) -> None:
    total = sum(count for count, _ in report.letters.values())
    if not total:
        console.print(Text.assemble(("Dead letters", "bold"), ": none", "\n"))
        return
    table = Table(box=SIMPLE_HEAD, title=f"Dead letters: {total:,}", title_justify="left", title_style="bold")
    for name in ("reason", "count", "the first"):
        table.add_column(name, justify="right" if name == "count" else "left")
    for reason, (count, first) in sorted(report.letters.items(), key=lambda item: (-item[1][0], item[0])):
        table.add_row(escape(reason), f"{count:,}", Text(quote(f"{first.origin} {first.message}".strip())))
    console.print(table)


def _files(report: Report, console: Console) -> None:
    console.print(Text("Where it is", style="bold"))
    for path, count in report.files.values():
        console.print(Text(f"  {path}  {count:,} {'record' if count == 1 else 'records'}"), soft_wrap=True)
