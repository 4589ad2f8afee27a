"""`kairos explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.apps.console import escape, fail, paint
from kairos.apps.event_input import EventInput, read_profile_file
from kairos.apps.rule_folder import count, valid_rules
from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.explain import Line, Story, starters
from kairos.engine.moment import zone_of
from kairos.engine.rule.compile import Plan
from kairos.engine.simulate import Simulation

app = typer.Typer(rich_markup_mode=None)

_END = 2**62
_STYLES = {"took": "", "missed": "warning", "ended": "warning", "waits": "dim", "gate": "", "record": "bold"}


@app.command()
def explain(
    rules: Annotated[Path, typer.Argument(help="The rule folder.")],
    events: Annotated[Path, typer.Argument(help="Events of all users, one JSON object a line.")],
    user: Annotated[str, typer.Option(help="Whose story.")],
    activity: Annotated[str | None, typer.Option(help="Only this activity.")] = None,
    profiles: Annotated[Path | None, typer.Option(help="Profiles by user id, JSON.")] = None,
) -> None:
    """Play a file of events and tell, for one user, what every activity made of them.

    Shows the steps that were taken, conditions that failed with the values they compared, deadlines, each gate, and
    for near misses what was missing. It is the run of `kairos simulate`: other users use up budgets as they do there.

    \b
    Examples:
      kairos explain rules/ events.jsonl --user u1
      kairos explain rules/ events.jsonl --user u1 --activity order_unpaid_10m --profiles users.json
    """
    rule_set, _ = valid_rules(rules)
    if activity is not None and activity not in rule_set.activities:
        fail(f"there is no activity {escape(activity)} in {escape(str(rules))}")
    people = read_profile_file(profiles) if profiles else None
    given = EventInput(events, rule_set.sources)
    simulation = Simulation(rule_set, people, on_duplicate=given.report_duplicate)
    story = Story(user, simulation.engine.moment)
    simulation.engine.moment.observer = story
    mine = [event for event in given.events if event.user_id == user]
    records = [record for record in simulation.run(given.events) if record.user_id == user]
    zone = zone_of((people or {}).get(user) or {}, None, simulation.plan.zone)
    sys.stdout.write(_heading(user, mine, zone) + "\n")
    for name in [activity] if activity else sorted(rule_set.activities):
        sys.stdout.writelines(line + "\n" for line in _chapter(simulation.plan, story, name, records, mine, zone))
    sys.stdout.flush()


def _heading(user: str, events: list[Event], zone: ZoneInfo) -> str:
    if not events:
        return f"{escape(user)} has no events in this file"
    times = [event.time for event in events]
    span = f"{_local(min(times), zone)} to {_local(max(times), zone)}"
    return f"{escape(user)}: {count(len(events), 'event')}, {span} ({zone.key})"


def _chapter(
    plan: Plan, story: Story, name: str, records: list[Record], events: list[Event], zone: ZoneInfo
) -> Iterator[str]:
    title = plan.activities[name].spec.title
    yield ""
    yield paint(name, "bold", sys.stdout) + (f"  {escape(title)}" if title else "")
    lines = story.tell(name, records, _END)
    for line in lines:
        yield f"  {_local(line.at, zone)}  {_styled(line, zone)}"
    if not lines:
        yield f"  {_nothing(plan, name, events)}"


def _nothing(plan: Plan, name: str, events: list[Event]) -> str:
    first = starters(plan, name)
    if any(event.type in first for event in events):
        return f"nothing began: no value of `{plan.activities[name].spec.pattern.per}` in {' or '.join(first)}"
    return f"nothing began: no {' or '.join(first)} came"


def _styled(line: Line, zone: ZoneInfo) -> str:
    style = _STYLES[line.kind]
    text = escape(line.text) + (f" until {_local(line.until, zone)}" if line.until is not None else "")
    return paint(text, style, sys.stdout) if style else text


def _local(at: int, zone: ZoneInfo) -> str:
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")
