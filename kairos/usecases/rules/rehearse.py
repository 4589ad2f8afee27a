"""`kairos test`: the examples that stand beside the rules, run in the real engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from kairos.engine.play.rehearse import Failure, rehearse
from kairos.engine.rule.examples import TestFile
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.usecases.errors import NotThereError


class Failed(msgspec.Struct, frozen=True):
    """An example that did not come out as it says. `start`: of its file, epoch ms: what its times count from."""

    activity: str
    file: str
    start: int
    failure: Failure


class Rehearsed(msgspec.Struct, frozen=True):
    """`examples`: how many were run, `activities`: of how many. `without`: activities that have no example."""

    examples: int
    activities: int
    failed: list[Failed]
    without: list[str]


def rehearse_all(
    rules: RuleSet, tests: Mapping[str, TestFile], activity: str | None = None, place: str = "the rules"
) -> Rehearsed:
    """The examples of all activities, or of one, in order of their names. `place`: where the rules are.

    Raises NotThereError.
    """
    if activity is not None and activity not in rules.activities:
        raise NotThereError(f"there is no activity {activity!r} in {place}")
    files = [file for name, file in sorted(tests.items()) if activity in (None, name)]
    whole = {journey_of(name) for name in rules.activities}
    without = sorted(name for name in whole if activity in (None, name) and name not in tests)
    return Rehearsed(sum(len(file.tests) for file in files), len(files), list(_failures(rules, files)), without)


def _failures(rules: RuleSet, files: Iterable[TestFile]) -> Iterable[Failed]:
    for file in files:
        for failure in rehearse(rules, file):
            yield Failed(file.activity, file.file, file.start, failure)
