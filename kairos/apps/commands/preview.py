"""`kairos preview`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.content import Content, ContentError, Renderer
from kairos.adapters.profile_file import Profiles
from kairos.apps.console import escape, fail, paint
from kairos.apps.event_input import EventInput, read_profile_file
from kairos.apps.rule_folder import valid_rules
from kairos.engine.address import ADDRESS_FIELD
from kairos.engine.preview import Asked, Entry, preview, preview_example
from kairos.engine.rule.examples import TestFile
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.simulate import Simulation
from kairos.engine.telling import duration

app = typer.Typer(rich_markup_mode=None)


@app.command("preview")
def show_messages(
    activity: Annotated[str, typer.Argument(help="The activity whose messages are shown.")],
    user: Annotated[str, typer.Option(help="Who would get them.")],
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    profiles: Annotated[Path | None, typer.Option(help="Profiles by user id, JSON; else those of the example.")] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events of all users, one JSON object a line; else those of the first example.")
    ] = None,
) -> None:
    """Show what an activity would say to one user: every entry of `send`, with address, headers and text.

    The values come from the last message that the events lead to, or else from the activity's first example that
    sends, with this user in the place of its own. Exits with 1 where the user would get nothing, and says which gate
    is in the way; also where a message lacks a value.

    \b
    Examples:
      kairos preview order_unpaid_10m --user u1
      kairos preview order_unpaid_10m --user u1 --profiles users.json --events events.jsonl
    """
    rule_set, loaded = valid_rules(rules)
    if (spec := rule_set.activities.get(activity)) is None:
        fail(f"there is no activity {escape(activity)} in {escape(str(rules))}")
    if not spec.send and not spec.variants:
        fail(f"{activity} is a watch: without `send` it has nothing to say")
    people = read_profile_file(profiles) if profiles else None
    if events is not None:
        origin, asked = f"in {events}", _of_events(rule_set, activity, user, events, people)
    else:
        origin, asked = _of_examples(rule_set, loaded.tests.get(activity), activity, user, people)
    messages = _messages(rule_set, asked.entries if asked else ())
    sys.stdout.write("".join(line + "\n" for line in _told(spec, user, origin, asked, messages)))
    sys.stdout.flush()
    complete = all(isinstance(content, Content) for entry, content in messages if entry.own)
    raise typer.Exit(0 if asked is not None and asked.sends and complete else 1)


def _of_events(rules: RuleSet, activity: str, user: str, path: Path, people: Profiles | None) -> Asked | None:
    given = EventInput(path, rules.sources)
    return preview(Simulation(rules, people, on_duplicate=given.report_duplicate), activity, user, given.events)


def _of_examples(
    rules: RuleSet, file: TestFile | None, activity: str, user: str, people: Profiles | None
) -> tuple[str, Asked | None]:
    if file is None:
        fail(f"{activity} has no examples to take values from; give it one, or --events")
    found = preview_example(rules, file, user, people)
    return (f"as in the example '{found[0].name}'", found[1]) if found else ("in the examples", None)


def _messages(rules: RuleSet, entries: Sequence[Entry]) -> list[tuple[Entry, Content | str]]:
    """Each entry's message, or why there is none."""
    renderer = Renderer(rules.templates, rules.materials)
    return [(entry, _message(entry, renderer)) for entry in entries]


def _message(entry: Entry, renderer: Renderer) -> Content | str:
    if entry.missing:
        return f"no value for {', '.join(entry.missing)}"
    try:
        return renderer.render(entry.send.template, entry.send.channel, entry.values)
    except ContentError as error:
        return str(error)


def _told(
    spec: Activity, user: str, origin: str, asked: Asked | None, messages: list[tuple[Entry, Content | str]]
) -> Iterator[str]:
    yield paint(spec.name, "bold", sys.stdout) + (f"  {escape(spec.title)}" if spec.title else "")
    if asked is None:
        yield f"  nothing to say to {escape(user)} {escape(origin)}: the trigger is never complete"
        return
    yield f"  {escape(user)}, {escape(origin)}, {_local(asked.at, asked.zone)} ({asked.zone.key})"
    yield f"  {_verdict(asked)}"
    for entry, content in messages:
        yield ""
        yield paint(_heading(entry), "bold", sys.stdout)
        yield from (f"  {line}".rstrip() for line in _body(entry, content))


def _verdict(asked: Asked) -> str:
    if not asked.stopped:
        return "passes every gate"
    until = f" until {_local(asked.until, asked.zone)}" if asked.until is not None else ""
    return paint(escape(asked.stopped) + until, "warning", sys.stdout)


def _heading(entry: Entry) -> str:
    send, to, when = entry.send, "", ""
    if send.channel in ADDRESS_FIELD and not entry.unreachable:
        to = f" to {escape(entry.address or 'an address that no profile tells')}"
    if send.after is not None:
        when = f", {duration(send.after)} later unless {send.unless}"
    elif not entry.first:
        when = ", if the one before does not get through"
    variant = "" if entry.variant is None else f", variant {entry.variant}{'' if entry.own else ', not for this user'}"
    return f"{send.channel}{to}{when}{variant}"


def _body(entry: Entry, content: Content | str) -> Iterator[str]:
    if entry.unreachable:
        yield paint(f"not sent: {escape(entry.unreachable)}", "warning", sys.stdout)
    if isinstance(content, str):
        yield paint(f"not sent: {escape(content)}", "error", sys.stdout)
        return
    head = content.head()
    yield from (escape(line) for line in [*head, *([""] if head else []), *content.text.splitlines()])


def _local(at: int, zone: ZoneInfo) -> str:
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")
