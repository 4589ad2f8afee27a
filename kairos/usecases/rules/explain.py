"""`kairos explain`: for one user, what every activity made of a file of events, and why."""

from __future__ import annotations

import msgspec

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.play.explain import Line, Story, starters
from kairos.engine.play.simulate import Simulation, UserProfiles
from kairos.engine.profile.zone import own_zone
from kairos.engine.rule.compile import Program
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.usecases.events import Given
from kairos.usecases.rules.kept import lent
from kairos.usecases.rules.lint import need_activity

_END = 2**62


class Chapter(msgspec.Struct, frozen=True):
    """What one activity made of the user's events. `nothing`: why there are no lines; empty where there are some."""

    activity: str
    title: str
    lines: list[Line]
    nothing: str = ""


class Explained(msgspec.Struct, frozen=True):
    """`events`: of this user. `first`, `last`: epoch ms, None: no event. `zone`: the user's own, by name."""

    user: str
    events: int
    first: int | None
    last: int | None
    zone: str
    chapters: list[Chapter]


def explain(
    rules: RuleSet,
    given: Given,
    people: UserProfiles | None,
    user: str,
    activity: str | None = None,
    place: str = "the rules",
) -> Explained:
    """One chapter an activity or journey. It is the run of `simulate`: other users use up budgets as they do there.

    `people` None: every channel counts as reachable. `place`: where the rules are. Raises NotThereError.
    """
    if activity is not None:
        need_activity(rules, activity, place)
    story = Story(user)
    mine = [event for event in given.all if event.user_id == user]
    with lent(rules) as program:
        simulation = Simulation(rules, people, observer=story, on_duplicate=given.duplicate, program=program)
        records = [record for record in simulation.run(given.all) if record.user_id == user]
        names = [journey_of(activity)] if activity else sorted({journey_of(name) for name in rules.activities})
        chapters = [_chapter(simulation.program, story, name, records, mine) for name in names]
        zone = own_zone((people or {}).get(user) or {}) or simulation.program.zone
    times = [event.time for event in mine]
    return Explained(user, len(mine), min(times, default=None), max(times, default=None), zone.key, chapters)


def _chapter(program: Program, story: Story, name: str, records: list[Record], events: list[Event]) -> Chapter:
    lines = story.tell(name, records, _END)
    return Chapter(name, program.activities[name].spec.title, lines, "" if lines else _nothing(program, name, events))


def _nothing(program: Program, name: str, events: list[Event]) -> str:
    first = starters(program, name)
    if any(event.type in first for event in events):
        return f"nothing began: no value of `{program.activities[name].spec.pattern.per}` in {' or '.join(first)}"
    return f"nothing began: no {' or '.join(first)} came"
