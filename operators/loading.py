"""A function that does nothing but be there: with it Python loads all that a task may need."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyflink.common import Row
from pyflink.datastream import FlatMapFunction


class BeThere(FlatMapFunction):
    """`named`: anything of the package that composes jobs. Who reads this function imports that with it."""

    def __init__(self, named: Callable[..., object]) -> None:
        self._named = named

    def flat_map(self, value: int) -> Iterator[Row]:
        return iter(())
