"""What cannot wait for two hours: messages that stop, and providers that fail. Judged by the minute.

Minutes come in blocks, a column each: one while it happens, more of history. How often chance alone cries, of one
series in a week:
- Silence. Of N Poisson messages, N e^-E gaps are longer than E expected messages. It cries from E = ln N + 3.5 on, so
  .03 times; never before 12 are expected. Where messages come in clumps, the longest silences of the last weeks stand
  for ln N, whatever made them; so a week of them has to be known.
- Burst. At each of 10,080 minutes three windows are looked at, each with a chance of 3e-7 at most: .009 times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from kairos.engine.alarm.baseline import TRIALS, WEEKS, Array

MINUTES_A_WEEK = 10_080
LEAST = 12.0
"""Messages that must be expected before silence means anything."""
MARGIN = 3.5
WINDOWS = (2, 10, 60)
"""Minutes."""
CHANCE = 3e-7
USUAL = 0.005
"""A share of failures that nobody wonders about."""

Mask = NDArray[np.bool_]


def fitted(values: Array, rows: int, fill: float = 0.0) -> Array:
    """The array with at least so many rows; new ones hold `fill`."""
    lacking = rows - len(values)
    if lacking <= 0:
        return values
    return np.concatenate([values, np.full((lacking, *values.shape[1:]), fill)])


class Silence:
    """`missing`: messages expected since the last one, of each series and minute of the newest block; `quiet`: the
    minutes since."""

    def __init__(self) -> None:
        self.missing, self.quiet = np.zeros((0, 1)), np.zeros((0, 1))
        self._longest, self._flow, self._before, self._known = (np.zeros(0) for _ in range(4))
        self._weeks = np.zeros((0, WEEKS))

    def block(self, came: Array, rate: Array, muted: Mask) -> Mask:
        """Who has been silent for too long. `came`: messages by the minute; `rate`: expected of each of them, NaN where
        that is not known."""
        self._fit(len(came))
        many, known = came.shape[1], ~np.isnan(rate)
        rate = np.where(known & ~muted, rate, 0.0)
        minutes = np.arange(many)
        last = np.maximum.accumulate(np.where(came > 0, minutes, -1), axis=1)
        begun = np.where(last < 0, 1, 0)  # nothing has come in this block yet
        since = minutes - last
        self.missing = rate[:, None] * since + begun * self.missing[:, -1:]
        self.quiet = since + begun * self.quiet[:, -1:]
        self.missing[muted] = self.quiet[muted] = 0
        off: Mask = self.missing >= LEAST
        if off.any():
            off &= self.missing >= self._needed()[:, None]
        self._learn(rate, known, many)
        return off

    def came_late(self, row: int) -> None:
        """Ends the silence of a series: a message came after the block had been judged."""
        self._fit(row + 1)
        self.missing[row] = self.quiet[row] = 0

    def _needed(self) -> Array:
        """Expected messages without one that make an alarm, of each series; infinite until a week of it is known."""
        learned = ~np.isnan(self._weeks).all(axis=1)
        needed = np.full(len(self._weeks), np.inf)
        longest = np.nanmedian(self._weeks[learned], axis=1)
        usual = np.maximum(np.log(np.maximum(self._before[learned], 1)), longest)
        needed[learned] = np.maximum(LEAST, usual + MARGIN)
        return needed

    def _learn(self, rate: Array, known: Mask, minutes: int) -> None:
        np.maximum(self._longest, self.missing.max(axis=1), out=self._longest)
        self._flow += rate * minutes
        self._known += known * minutes
        over = self._known >= MINUTES_A_WEEK
        if over.any():
            self._weeks[over] = np.column_stack([self._weeks[over, 1:], self._longest[over]])
            self._before[over] = self._flow[over]
            self._flow[over] = self._longest[over] = self._known[over] = 0

    def _fit(self, rows: int) -> None:
        if rows > len(self._known):
            self.missing, self.quiet = fitted(self.missing, rows), fitted(self.quiet, rows)
            self._longest, self._flow, self._before, self._known = (
                fitted(values, rows) for values in (self._longest, self._flow, self._before, self._known)
            )
            self._weeks = fitted(self._weeks, rows, np.nan)


class Burst:
    """Hits and trials of the last hour, a row a series, a column a minute. It is over when ten minutes with messages
    have no more failures than is usual, or an hour has none of either."""

    def __init__(self) -> None:
        self._past = np.zeros((2, 0, WINDOWS[-1]))
        self._sums = np.zeros((2, len(WINDOWS), 0, 1))
        self._off: Mask = np.zeros(0, dtype=bool)

    def block(self, hits: Array, trials: Array, usual: Array, muted: Mask) -> Mask:
        """Whose failures are more than chance brings. `usual`: the share that is normal, NaN where nobody knows."""
        self._fit(len(hits))
        many, longest = hits.shape[1], WINDOWS[-1]
        whole = np.concatenate([self._past, np.stack([hits, trials])], axis=2)
        self._past = whole[:, :, -longest:]
        if not (hits.any() or self._off.any()):
            return np.zeros(hits.shape, dtype=bool)
        total = np.concatenate([np.zeros((2, len(hits), 1)), whole.cumsum(axis=2)], axis=2)
        ends = np.arange(longest + 1, longest + many + 1)
        self._sums = np.stack([total[:, :, ends] - total[:, :, ends - window] for window in WINDOWS], axis=1)
        hit, tried = self._sums.astype(np.int64)
        share = np.fmax(usual, USUAL)[None, :, None]
        chance = bdtrc(np.maximum(hit - 1, 0), np.maximum(tried, 1), share)
        begun = ((chance <= CHANCE) & (tried >= TRIALS)).any(axis=0)
        lasting = np.where(tried[1] > 0, hit[1] > share[0] * tried[1], tried[2] > 0) & ~muted[:, None]
        off = np.empty(hits.shape, dtype=bool)
        for minute in range(many):
            off[:, minute] = self._off = (begun[:, minute] | self._off) & lasting[:, minute]
        return off

    def of(self, row: int, minute: int) -> tuple[int, int, int]:
        """The shortest window with enough trials, in minutes; hits and trials in it; of the newest block."""
        hits, trials = self._sums[:, :, row, minute]
        place = next((i for i in range(len(WINDOWS)) if trials[i] >= TRIALS), len(WINDOWS) - 1)
        return WINDOWS[place], int(hits[place]), int(trials[place])

    def _fit(self, rows: int) -> None:
        lacking = rows - len(self._off)
        if lacking > 0:
            self._past = np.concatenate([self._past, np.zeros((2, lacking, WINDOWS[-1]))], axis=1)
            self._off = np.concatenate([self._off, np.zeros(lacking, dtype=bool)])
