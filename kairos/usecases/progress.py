"""How far a use case is: it says so to a port, and who asked draws a bar, streams it to a page, or ignores it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Tell = Callable[[int], object]
"""Hears how much is done, counted from 0 to the total of its stage."""

Progress = Callable[[str, int | None], AbstractContextManager[Tell | None]]
"""Called with the name of a stage and its total (None: not known before its end); entered for as long as the stage
lasts. Gives what hears of each step, or None where nobody listens."""


@contextmanager
def silent(_stage: str, _total: int | None = None) -> Iterator[Tell | None]:
    """The progress that nobody hears of."""
    yield None
