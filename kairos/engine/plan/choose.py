"""A parameter that is chosen for each user: an activity for each of its values, which compete in a group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from kairos.engine.plan.fill import fill
from kairos.engine.plan.parameter import Values
from kairos.engine.rule.text.nodes import read_yaml
from kairos.engine.rule.text.report import Report

WORTH = "{value: 1, uplift: measured}"
"""What a message is worth where nobody says it: those who reach the goal because of it."""
MOST = 20
"""Activities of one choice."""


@dataclass(frozen=True)
class Choose:
    """`among`: parameter -> its values, as `--set` would say them. `group`: of policy.yaml. `worth`: YAML, in which
    parameters may stand."""

    among: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: str | None = None
    worth: str = WORTH

    def candidates(self, name: str) -> Iterator[tuple[str, dict[str, str]]]:
        """(name of the activity, what is set for it) of each."""
        for values in product(*self.among.values()):
            chosen = dict(zip(self.among, values, strict=True))
            yield "_".join([name, *(f"{key}_{_word(value)}" for key, value in chosen.items())]), chosen

    def lines(self, values: Values) -> tuple[str, str | None]:
        """What an activity says of its group, and what is wrong with it."""
        if self.group is None:
            return "", None
        report = Report("--worth", self.worth)
        root = read_yaml(self.worth)
        filled = fill(self.worth, [root] if root else [], values, report)
        wrong = report.findings[0].message if report.findings else None
        return f"matching: {self.group}\nworth: {filled.text}\n", wrong


def _word(value: str) -> str:
    return re.sub("[^a-z0-9]+", "_", value.lower()).strip("_") or "none"
