"""A report on a terminal, or as plain text where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kairos.apps.view.screen import put, table
from kairos.apps.view.terminal import count, escape, quote
from kairos.engine.decision import Outcome
from kairos.engine.journey.funnel import Stage
from kairos.engine.profile.zone import zone_named
from kairos.engine.rule.content.rendering import ContentError, Renderer
from kairos.usecases.results.report import Message, Report, Said, Tally, add

EXAMPLES = 6
_OUTCOMES = get_args(Outcome)


def show(report: Report, renderer: Renderer, console: Console, effects: Sequence[Table | str] = ()) -> None:
    """`effects`: what the activities brought, where a warehouse was asked, and what is to be said of it."""
    if report.tallies:
        console.print(_decisions(report.tallies))
    else:
        console.print(Text("Nothing has been decided yet.\n"))
    if report.funnels:
        console.print(_funnels(report.funnels))
    if report.said:
        console.print(_said(report.said))
    for effect in effects:
        if isinstance(effect, str):
            put(console, f"{effect}\n")
        else:
            console.print(effect)
    _messages(report.examples, renderer, console)
    if report.files:
        _dead_letters(report, console)
        _files(report, console)


def mask(address: str) -> str:
    """Enough of an address to recognise one's own: `a…@example.com`, `+447…23`."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else f"{address[:4]}…{address[-2:]}"


def _decisions(tallies: Mapping[str, Tally]) -> Table:
    shown = table("activity", "outcome", "count", "by channel or reason", right={"count"}, title="Decisions")
    total: Tally = {}
    for activity, tally in sorted(tallies.items()):
        add(total, tally)
        _add_rows(shown, activity, tally)
    shown.add_section()
    _add_rows(shown, "all", total)
    return shown


def _add_rows(shown: Table, name: str, tally: Tally) -> None:
    for outcome in sorted(tally, key=_OUTCOMES.index):
        counts = tally[outcome]
        shown.add_row(Text(escape(name), style="bold"), outcome, f"{sum(counts.values()):,}", _counted(counts))
        name = ""


def _counted(counts: Mapping[str, int]) -> Text:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Text(", ".join(f"{escape(what)} {number:,}" for what, number in ordered if what))


def _funnels(funnels: Mapping[str, Sequence[Stage]]) -> Table:
    """Each journey from its entry to its ends; shares are of those who came in."""
    shown = table("journey", "step", "runs", "share", right={"runs", "share"}, title="Journeys")
    for journey, stages in funnels.items():
        for number, stage in enumerate(stages):
            name = Text(escape(journey) if number == 0 else "", style="bold")
            share = "" if stage.name == "control group" else f"{stage.share:.1%}"
            shown.add_row(name, escape(stage.name), f"{stage.runs:,}", share)
    return shown


def _said(said: Sequence[Said]) -> Table:
    """Each kind of message: variant, attempt, channel, template."""
    heads = ("activity", "variant", "attempt", "channel", "template", "sends")
    shown = table(*heads, right={"attempt", "sends"}, title="Messages")
    before = ""
    for kind in said:
        name = "" if kind.activity == before else escape(kind.activity)
        before = kind.activity
        words = [escape(word) for word in (kind.variant, str(kind.attempt), kind.channel, kind.template)]
        shown.add_row(Text(name, style="bold"), *words, f"{kind.number:,}")
    return shown


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
        put(console, f"{moment:%Y-%m-%d %H:%M} {escape(message.activity)}: {message.channel}{to}", 2, "cyan", hang=2)
        for line in _lines(renderer, message):
            put(console, escape(line), 4)
    if chosen:
        console.print()


def _lines(renderer: Renderer, message: Message) -> list[str]:
    try:
        content = renderer.render(message.template, message.channel, message.values or {}, zone_named(message.zone))
    except ContentError as error:
        return [f"({error})"]
    return [*content.head(), *content.text.splitlines()]


def _dead_letters(report: Report, console: Console) -> None:
    total = sum(letters.number for letters in report.letters.values())
    if not total:
        console.print(Text.assemble(("Dead letters", "bold"), ": none", "\n"))
        return
    shown = table("reason", "count", "the first", right={"count"}, title=f"Dead letters: {total:,}")
    for reason, letters in sorted(report.letters.items(), key=lambda item: (-item[1].number, item[0])):
        first = letters.first
        shown.add_row(escape(reason), f"{letters.number:,}", Text(quote(f"{first.origin} {first.message}".strip())))
    console.print(shown)


def _files(report: Report, console: Console) -> None:
    console.print(Text("Where it is", style="bold"))
    for topic, file in report.files.items():
        unreadable = report.unreadable.counts[topic]
        which = f", {unreadable:,} of them unreadable" if unreadable else ""
        console.print(Text(f"  {file.path}  {count(file.records, 'record')}{which}"), soft_wrap=True)
    for origin, why in report.unreadable.first:
        console.print(Text(f"  unreadable: {origin}: {quote(why)}", style="yellow"), soft_wrap=True)
