"""`kairos preview`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.apps.inputs.files import read_events, read_profiles, valid_rules
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, paint, say
from kairos.engine.channel import ADDRESS_FIELD
from kairos.engine.play.preview import Asked, Entry
from kairos.engine.rule.journey import is_part, journey_of
from kairos.engine.rule.text.scalars import short_duration
from kairos.engine.template.segments import segments
from kairos.usecases.rules.people_then import told_of_file, unknown_in_file
from kairos.usecases.rules.preview import Previewed, preview_of_events, preview_of_examples, speaking_activities

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

    Of a journey every message is shown, of `<journey>.<step>` one.

    The values come from the last message that the events lead to, or else from the activity's first example that
    sends, with this user in the place of its own. Exits with 1 where the user would get nothing, and says which gate
    is in the way; also where a message lacks a value. Whom neither profiles nor events know is refused: exit 2.

    \b
    Examples:
      kairos preview payment_unfinished --user user_0232
      kairos preview payment_unfinished --user user_0232 \\
        --profiles .kairos/data/profiles.json --events .kairos/data/ecom.jsonl
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        specs = speaking_activities(rule_set, activity, str(rules))
        people = read_profiles(profiles, rule_set.profile) if profiles else None
        examples = loaded.tests.get(journey_of(activity))
        given = None if events is None else read_events(events, rule_set.sources)
        found = [
            preview_of_examples(rule_set, spec, user, examples, people)
            if given is None
            else preview_of_events(rule_set, spec, user, given, people)
            for spec in specs
        ]
    if (people is not None or given is not None) and (
        told_of := told_of_file(unknown_in_file(rule_set, people, activity))
    ):
        say(told_of)
    sys.stdout.write("\n".join("".join(line + "\n" for line in _told(each)) for each in found))
    sys.stdout.flush()
    raise typer.Exit(0 if any(each.complete for each in found) else 1)


def _told(found: Previewed) -> Iterator[str]:
    user, origin, asked = found.user, found.origin, found.asked
    yield paint(found.activity, "bold", sys.stdout) + (f"  {escape(found.title)}" if found.title else "")
    if asked is None:
        why = "the journey never comes to it" if is_part(found.activity) else "the trigger is never complete"
        yield f"  nothing to say to {escape(user)} {escape(origin)}: {why}"
        return
    yield f"  {escape(user)}, {escape(origin)}, {_local(asked.at, asked.zone)} ({asked.zone})"
    yield f"  {_verdict(asked)}"
    for entry in asked.entries:
        yield ""
        yield paint(_heading(entry), "bold", sys.stdout)
        yield from (f"  {line}".rstrip() for line in _body(entry))


def _verdict(asked: Asked) -> str:
    if not asked.stopped:
        return "passes every gate"
    until = f" until {_local(asked.until, asked.zone)}" if asked.until is not None else ""
    return paint(escape(asked.stopped) + until, "warning", sys.stdout)


def _heading(entry: Entry) -> str:
    send, to, when = entry.send, "", ""
    if send.channel in ADDRESS_FIELD and not entry.unreachable:
        to = f" to {escape(entry.address or 'an address that no profile tells')}"
    if not entry.first and send.after is not None:
        when = f", {short_duration(send.after)} later unless {send.unless}"
    elif not entry.first:
        when = ", if the one before does not get through"
    variant = "" if entry.variant is None else f", variant {entry.variant}{'' if entry.own else ', not for this user'}"
    return f"{send.channel}{to}{when}{variant}"


def _body(entry: Entry) -> Iterator[str]:
    if entry.unreachable:
        yield paint(f"not sent: {escape(entry.unreachable)}", "warning", sys.stdout)
    if isinstance(entry.content, str):
        yield paint(f"not sent: {escape(entry.content)}", "error", sys.stdout)
        return
    if entry.send.channel == "sms" and (number := segments(entry.content.text)) > 1:
        yield paint(f"{len(entry.content.text)} characters: {number} segments to pay for", "warning", sys.stdout)
    head = entry.content.head()
    yield from (escape(line) for line in [*head, *([""] if head else []), *entry.content.text.splitlines()])


def _local(at: int, zone: str) -> str:
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")
