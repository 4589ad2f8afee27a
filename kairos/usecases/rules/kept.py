"""What was made of rules, kept while they are the same: who looks at pages asks for the same release each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

from kairos.engine.play.simulate import program_of
from kairos.engine.rule.compile import Program
from kairos.engine.rule.model import RuleSet

MOST = 4
"""Rules of which something is kept; what was asked for longest ago goes."""
T = TypeVar("T")


class KeptOf(Generic[T]):
    """`make` asks nothing but the rules, and nobody changes what it gives. Safe for several threads: it is made once.

    Rules are told apart by which object they are, which the stores give anew where they differ; to compare them would
    take as long as to make something of them.
    """

    def __init__(self, make: Callable[[RuleSet], T]) -> None:
        self._make = make
        self._kept: dict[int, tuple[RuleSet, T]] = {}
        self._lock = Lock()

    def __call__(self, rules: RuleSet) -> T:
        with self._lock:
            known = self._kept.pop(id(rules), None)  # of these very rules: what is kept lives, so its id is its own
            made = known[1] if known is not None else self._make(rules)
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[id(rules)] = (rules, made)
        return made


_free: KeptOf[deque[Program]] = KeptOf(lambda _rules: deque())


@contextmanager
def lent(rules: RuleSet) -> Iterator[Program | None]:
    """A program for a simulation of these rules, its alone until it is given back: to compile 100 activities takes
    longer than to play the events of one person. None: as `program_of`."""
    free = _free(rules)
    try:
        program: Program | None = free.pop()
    except IndexError:
        program = program_of(rules)
    yield program
    if program is not None:  # after a mistake nobody knows what it was left as
        free.append(program)
