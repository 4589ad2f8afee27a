"""Many series by the hour: hits and trials of the last weeks, a row a series, in a ring of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kairos.engine.alarm.baseline import WEEKS, Array

SIZE = (WEEKS * 7 + 1) * 24 + 24
"""Columns: what a baseline looks back at, however the clocks change, and a day for what comes late."""
Place = tuple[str, str]
"""Subject and channel."""


class Panel:
    """`hour`: the newest, hours since 1970. A series begins with its first fact; before that nothing is known of it.

    `whole`: what is counted comes so rarely that a series without a fact has had none, from the first hour on, or from
    `known_since` on where less is known.
    """

    def __init__(self, whole: bool = False) -> None:
        self.rows: dict[Place, int] = {}
        self.places: list[Place] = []
        self.hour = -1
        self.known_since = 0
        self._whole, self._first = whole, -1
        self._hits, self._trials, self._left_out = (np.zeros((0, SIZE)) for _ in range(3))
        self._since = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.places)

    def row(self, place: Place, hour: int) -> int:
        """The row of a series. A series that is new begins at `hour`, or as the class says."""
        if place not in self.rows:
            self.rows[place] = len(self.places)
            self.places.append(place)
            if len(self.places) > len(self._since):
                self._grow()
            self._since[self.rows[place]] = max(self._first, self.known_since) if self._whole else hour
        return self.rows[place]

    def begin(self, hour: int) -> None:
        """Opens the column of an hour of which nothing has come yet."""
        if self._first < 0:
            self._first = hour
        for each in range(max(self.hour + 1, hour - SIZE + 1), hour + 1):
            for values in (self._hits, self._trials, self._left_out):
                values[:, each % SIZE] = 0
        self.hour = hour

    def add(self, place: Place, hour: int, hits: int, trials: int) -> None:
        """Adds to an hour; an hour older than the ring is ignored."""
        if self.hour - SIZE < hour <= self.hour:
            row, column = self.row(place, hour), hour % SIZE
            self._hits[row, column] += hits
            self._trials[row, column] += trials

    def leave_out(self, hour: int, rows: NDArray[np.bool_]) -> None:
        """Marks an hour of these series as no example of what is normal."""
        self._left_out[: len(self), hour % SIZE] = rows

    def of(self, hours: Sequence[int]) -> tuple[Array, Array]:
        """Hits and trials; NaN where nothing is known, or what is known is no example."""
        wanted = np.array(hours)
        columns, many = wanted % SIZE, len(self)
        unknown = (wanted[None, :] < self._since[:many, None]) | (wanted[None, :] <= self.hour - SIZE)
        unknown |= self._left_out[:many, columns] > 0
        return (
            np.where(unknown, np.nan, self._hits[:many, columns]),
            np.where(unknown, np.nan, self._trials[:many, columns]),
        )

    def at(self, hour: int) -> tuple[Array, Array]:
        many = len(self)
        return self._hits[:many, hour % SIZE].copy(), self._trials[:many, hour % SIZE].copy()

    def _grow(self) -> None:
        more = max(8, len(self._since))
        self._hits, self._trials, self._left_out = (
            np.vstack([values, np.zeros((more, SIZE))]) for values in (self._hits, self._trials, self._left_out)
        )
        self._since = np.concatenate([self._since, np.zeros(more, dtype=np.int64)])
