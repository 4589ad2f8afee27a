"""What a check has to say: how much it looked at, and the evidence of every violation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.world import World


class Violation(NamedTuple):
    """`keys`: the deliveries by which it is proven; their records, rows and calls are the evidence."""

    what: str
    keys: tuple[str, ...]


@dataclass
class Result:
    """`examined`: what -> how many. `exempt`: for which rule -> how many it does not apply to. `not_judged`: why ->
    how many could not be decided either way. `violations`: at most `most` of them; `count`: how many there are.
    """

    most: int
    examined: dict[str, int] = field(default_factory=dict)
    exempt: Counter[str] = field(default_factory=Counter)
    not_judged: Counter[str] = field(default_factory=Counter)
    count: int = 0
    violations: list[Violation] = field(default_factory=list)

    def add(self, what: str, *keys: str) -> None:
        self.count += 1
        if len(self.violations) < self.most:
            self.violations.append(Violation(what, keys))


class Check(NamedTuple):
    """`title`: what must hold. `run` fills the result in."""

    name: str
    title: str
    run: Callable[[Book, World, Result], None]
