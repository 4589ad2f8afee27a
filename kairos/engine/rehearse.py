"""The examples beside a rule, run in the real engine: the decisions must be exactly the expected ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kairos.engine.decision import Record
from kairos.engine.explain import Line, Story
from kairos.engine.metric.seed import seed_cells
from kairos.engine.rule.examples import Example, Expected, TestFile
from kairos.engine.rule.model import RuleSet
from kairos.engine.simulate import Simulation
from kairos.engine.user_state import UserState

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
    """Runs every example of one activity. The others do not take part: an example is about its own activity alone."""
    return [failure for example in file.tests if (failure := _run(alone(rules, file), file, example)) is not None]


def alone(rules: RuleSet, file: TestFile) -> RuleSet:
    """The rules without the other activities."""
    return msgspec.structs.replace(rules, activities={file.activity: rules.activities[file.activity]})


def _run(rules: RuleSet, file: TestFile, example: Example) -> Failure | None:
    records = list(simulation_of(rules, file, example).run(example.events))
    pairs = pair_up(example.expect, records)
    missing = tuple(expected for expected, record in zip(example.expect, pairs, strict=True) if record is None)
    taken = {id(record) for record in pairs if record is not None}
    extra = tuple(record for record in records if id(record) not in taken)
    if not missing and not extra:
        return None
    matched = tuple(record for record in records if id(record) in taken)
    return Failure(example, missing, extra, matched, _stories(rules, file, example))


def simulation_of(rules: RuleSet, file: TestFile, example: Example) -> Simulation:
    """Ready to run the example's events: its profiles, and metrics that start as it says."""
    simulation = Simulation(rules, example.profiles or None)
    for user, values in example.metrics.items():
        state = simulation.users.setdefault(user, UserState())
        for name, value in values.items():
            metric = simulation.plan.metrics.get(name)
            if metric is not None:
                state.metrics[metric.key] = seed_cells(metric, value, file.start)
    return simulation


def _stories(rules: RuleSet, file: TestFile, example: Example) -> dict[str, tuple[Line, ...]]:
    """The same run once more, watched."""
    stories = {}
    for user in dict.fromkeys(event.user_id for event in example.events):
        simulation = simulation_of(rules, file, example)
        story = Story(user, simulation.engine.moment)
        simulation.engine.moment.observer = story
        records = list(simulation.run(example.events))
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
