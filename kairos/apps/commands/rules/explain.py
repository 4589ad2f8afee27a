"""`kairos explain`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.apps.inputs.files import read_events, read_profiles, valid_rules
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, escape, fitted, paint, say
from kairos.engine.play.explain import Line
from kairos.usecases.rules import explain as usecase
from kairos.usecases.rules.explain import Chapter, Explained
from kairos.usecases.rules.lint import need_activity
from kairos.usecases.rules.people_then import told_of_file, unknown_in_file

app = typer.Typer(rich_markup_mode=None)

_STYLES = {"took": "", "missed": "warning", "ended": "warning", "waits": "dim", "gate": "", "record": "bold"}


@app.command()
def explain(
    rules: Annotated[Path, typer.Argument(help="The rule folder.")],
    events: Annotated[Path, typer.Argument(help="Events of all users, one JSON object a line.")],
    user: Annotated[str, typer.Option(help="Whose story.")],
    activity: Annotated[str | None, typer.Option(help="Only this activity.")] = None,
    profiles: Annotated[Path | None, typer.Option(help="Profiles by user id, JSON.")] = None,
) -> None:
    """Play a file of events and tell, for one user, what every activity made of them: in short, then step by step.

    Shows the steps that were taken, conditions that failed with the values they compared, deadlines, each gate, and
    for near misses what was missing. It is the run of `kairos simulate`: other users use up budgets as they do there.

    \b
    Examples:
      kairos explain rules/ .kairos/data/ecom.jsonl --user user_0232
      kairos explain rules/ .kairos/data/ecom.jsonl --user user_0232 \\
        --activity payment_unfinished --profiles .kairos/data/profiles.json
    """
    with told():
        rule_set, _ = valid_rules(rules)
        if activity is not None:
            need_activity(rule_set, activity, str(rules))
        people = read_profiles(profiles, rule_set.profile) if profiles else None
        told_of = usecase.explain(rule_set, read_events(events, rule_set.sources), people, user, activity)
        unknown = told_of_file(unknown_in_file(rule_set, people, activity))
    zone = ZoneInfo(told_of.zone)
    sys.stdout.write(_heading(told_of, zone) + "\n")
    if len(told_of.chapters) > 1:
        sys.stdout.writelines(line + "\n" for line in _in_short(told_of.chapters, zone))
    for chapter in told_of.chapters:
        sys.stdout.writelines(line + "\n" for line in _chapter(chapter, zone))
    if unknown:
        say(unknown)
    sys.stdout.flush()


def _heading(told_of: Explained, zone: ZoneInfo) -> str:
    if told_of.first is None or told_of.last is None:
        return f"{escape(told_of.user)} has no events in this file"
    span = f"{_local(told_of.first, zone)} to {_local(told_of.last, zone)}"
    return f"{escape(told_of.user)}: {count(told_of.events, 'event')}, {span} ({zone.key})"


def _in_short(chapters: Sequence[Chapter], zone: ZoneInfo) -> Iterator[str]:
    """What came of each activity, a line each."""
    yield ""
    yield paint("In short", "bold", sys.stdout) + " (--activity NAME tells one of them)"
    width = max(len(chapter.activity) for chapter in chapters)
    for chapter in chapters:
        yield fitted(f"  {chapter.activity.ljust(width)}  {_outcomes(chapter, zone)}", width + 4)


def _outcomes(chapter: Chapter, zone: ZoneInfo) -> str:
    records = [line for line in chapter.lines if line.kind == "record"]
    if not records:
        return "nothing was decided: no match was completed" if chapter.lines else "nothing began"
    counts = Counter(escape(line.text.replace("-> ", "", 1)) for line in records)
    said = [text if number == 1 else f"{text} ({number} times)" for text, number in counts.items()]
    last = "" if len(records) == 1 else "the last "
    return f"{', '.join(said)}; {last}{_local(records[-1].at, zone)}"


def _chapter(chapter: Chapter, zone: ZoneInfo) -> Iterator[str]:
    yield ""
    yield paint(chapter.activity, "bold", sys.stdout) + (f"  {escape(chapter.title)}" if chapter.title else "")
    for line in chapter.lines:
        yield f"  {_local(line.at, zone)}  {_styled(line, zone)}"
    if chapter.nothing:
        yield f"  {chapter.nothing}"


def _styled(line: Line, zone: ZoneInfo) -> str:
    style = _STYLES[line.kind]
    text = escape(line.text) + (f" until {_local(line.until, zone)}" if line.until is not None else "")
    return paint(text, style, sys.stdout) if style else text


def _local(at: int, zone: ZoneInfo) -> str:
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")
