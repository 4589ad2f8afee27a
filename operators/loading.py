"""A function that does nothing but be there: with this package Python loads all that a task may need."""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.common import Row
from pyflink.datastream import FlatMapFunction


class BeThere(FlatMapFunction):
    def flat_map(self, value: int) -> Iterator[Row]:
        return iter(())
