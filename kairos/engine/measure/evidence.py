"""What a plan is believed to bring: the effects of all activities that came from it, taken together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Shown(NamedTuple):
    """What one activity showed: treated less control, by how many users, and its interval at 95 %; None: it was not
    kept."""

    lift: float
    n: int
    interval: tuple[float, float] | None = None


class Evidence(NamedTuple):
    """`lift`: the mean over activities and their epochs, weighted by users; `interval` at 95 %; `n` users in both arms;
    `as_of` in epoch ms; `rate`: of the treated so many reached the goal. `of`: activity -> what it showed."""

    lift: float
    interval: tuple[float, float]
    n: int
    as_of: int
    rate: float | None = None
    of: Mapping[str, Shown] = {}

    def believed(self, activity: str | None = None) -> Shown:
        """d0 and its users: what all others showed. An activity is no evidence of itself, or it would be believed as
        if twice as many users had shown it."""
        own = self.of.get(activity) if activity is not None else None
        if own is None:
            return Shown(self.lift, self.n)
        rest = self.n - own.n
        return Shown((self.lift * self.n - own.lift * own.n) / rest, rest) if rest > 0 else Shown(0.0, 0)
