"""Keeps one script from taking the processor from all the others: what it costs beyond measure is counted against it.

A script that loops for one event in a hundred takes 50 ms each time, and a new process. Nearly all the time of the job
would go there. So each script may go beyond `FREE_SECONDS` a call only as far as its allowance reaches, which grows
with time; when it is used up the script is not asked, and counts as false, until there is some again.
"""

from __future__ import annotations

from collections.abc import Callable

FREE_SECONDS = 0.002
"""Of processor time, each call. What nearly every condition stays far below costs nothing."""
ALLOWANCE = 0.1
"""Seconds of processor time that come back every second."""
MOST = 1.0
"""Seconds that are saved up at most."""


class Breaker:
    """`clock`: monotonic seconds. Scripts that never cost too much are not remembered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # script -> (seconds left, when that was)

    def allows(self, script: str) -> bool:
        return script not in self._left or self._now(script) > 0

    def charge(self, script: str, seconds: float) -> bool:
        """Of processor time, for one call. Whether it has used up its allowance with this call."""
        beyond = seconds - FREE_SECONDS
        if beyond <= 0:
            return False
        before = self._now(script)
        self._left[script] = (before - beyond, self._clock())
        return before > 0 >= before - beyond

    def _now(self, script: str) -> float:
        left, when = self._left.get(script, (MOST, 0.0))
        left += (self._clock() - when) * ALLOWANCE
        if left >= MOST:
            self._left.pop(script, None)
            return MOST
        return left
