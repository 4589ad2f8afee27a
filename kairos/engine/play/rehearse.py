"""The examples beside a rule, run in the real engine: the decisions must be exactly the expected ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kairos.engine.decision import Record
from kairos.engine.metric.seed import seed_cells
from kairos.engine.play.explain import Line, Story
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.examples import Example, Expected, TestFile
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.followed import followed_in, follows
from kairos.engine.user.moment import Observer

FOREVER = 2**62


@dataclass(frozen=True)
class Failure:
    """`missing` was expected and did not come, `extra` came and was not expected; `story` says why, user by user."""

    example: Example
    missing: tuple[Expected, ...]
    extra: tuple[Record, ...]
    matched: tuple[Record, ...]
    story: Mapping[str, tuple[Line, ...]]


def rehearse(rules: RuleSet, file: TestFile) -> list[Failure]:
    """Runs every example of one activity. Of the others only those take part whose messages it waits for."""
    return [failure for example in file.tests if (failure := _run(alone(rules, file), file, example)) is not None]


def alone(rules: RuleSet, file: TestFile) -> RuleSet:
    """The rules without those that this activity or journey does not follow. It is live: an example says what it does
    once it is switched on."""
    names = {file.activity, *_followed_by(file.activity, rules)}
    kept = {name: activity for name, activity in rules.activities.items() if journey_of(name) in names}
    kept |= {
        name: msgspec.structs.replace(activity, state="live")
        for name, activity in kept.items()
        if journey_of(name) == file.activity
    }
    journeys = {name: journey for name, journey in rules.journeys.items() if name in names}
    return msgspec.structs.replace(rules, activities=kept, journeys=journeys)


def _followed_by(name: str, rules: RuleSet) -> set[str]:
    """The activities and journeys whose messages it waits for, those that these wait for, and so on."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        asked = followed_in(_only(waiting.pop(), rules))
        new = {journey_of(other) for other in rules.activities if follows(asked, other)} - found
        found |= new
        waiting += new
    return found


def _only(name: str, rules: RuleSet) -> RuleSet:
    own = {part: activity for part, activity in rules.activities.items() if journey_of(part) == name}
    journeys = {name: rules.journeys[name]} if name in rules.journeys else {}
    return msgspec.structs.replace(rules, activities=own, journeys=journeys, metrics={})


def _run(rules: RuleSet, file: TestFile, example: Example) -> Failure | None:
    records = _records(simulation_of(rules, file, example), file, example)
    pairs = pair_up(example.expect, records)
    missing = tuple(expected for expected, record in zip(example.expect, pairs, strict=True) if record is None)
    taken = {id(record) for record in pairs if record is not None}
    extra = tuple(record for record in records if id(record) not in taken)
    if not missing and not extra:
        return None
    matched = tuple(record for record in records if id(record) in taken)
    return Failure(example, missing, extra, matched, _stories(rules, file, example))


def _records(simulation: Simulation, file: TestFile, example: Example) -> list[Record]:
    """Its own: those that it follows have examples of theirs."""
    records = simulation.run(example.events, first=file.start)
    return [record for record in records if journey_of(record.activity) == file.activity]


def simulation_of(rules: RuleSet, file: TestFile, example: Example, observer: Observer | None = None) -> Simulation:
    """Ready to run the example's events: its profiles, and metrics that start as it says."""
    simulation = Simulation(rules, example.profiles or None, observer=observer)
    for user, values in example.metrics.items():
        state = simulation.users[user]
        for name, value in values.items():
            metric = simulation.program.metrics.get(name)
            if metric is not None:
                state.metrics[metric.key] = seed_cells(metric, value, file.start)
    return simulation


def _stories(rules: RuleSet, file: TestFile, example: Example) -> dict[str, tuple[Line, ...]]:
    """The same run once more, watched."""
    stories = {}
    for user in dict.fromkeys(event.user_id for event in example.events):
        story = Story(user)
        records = _records(simulation_of(rules, file, example, story), file, example)
        stories[user] = tuple(story.tell(file.activity, records, FOREVER))
    return stories


def pair_up(expected: Sequence[Expected], records: Sequence[Record]) -> list[Record | None]:
    """For each expectation a record of its own that fits it, as many as possible (augmenting paths)."""
    owner: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for index, record in enumerate(records):
            if index in tried or not fits(expected[number], record):
                continue
            tried.add(index)
            if index not in owner or place(owner[index], tried):
                owner[index] = number
                return True
        return False

    for number in range(len(expected)):
        place(number, set())
    found = {number: records[index] for index, number in owner.items()}
    return [found.get(number) for number in range(len(expected))]


def fits(expected: Expected, record: Record) -> bool:
    return not differences(expected, record)


def differences(expected: Expected, record: Record) -> dict[str, tuple[Any, Any]]:
    """Field -> (expected, actual) where they differ. `data` is compared name by name, as far as it is written."""
    found: dict[str, tuple[Any, Any]] = {}
    if expected.at != record.at:
        found["at"] = (expected.at, record.at)
    for name, wanted in {"outcome": expected.outcome, **expected.fields}.items():
        actual = getattr(record, name)
        if name == "data":
            found.update({f"data.{k}": (v, actual.get(k)) for k, v in wanted.items() if not same(v, actual.get(k))})
        elif not same(wanted, actual or 1 if name == "attempt" else actual):
            found[name] = (wanted, None if actual is msgspec.UNSET else actual)
    return found


def same(one: Any, other: Any) -> bool:
    """Equal as JSON values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return bool(one == other)
