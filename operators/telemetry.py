"""Counters of an operator, as Flink metrics under the group `kairos`."""

from __future__ import annotations

from collections.abc import Mapping

from pyflink.datastream import RuntimeContext
from pyflink.metrics import Counter


class Telemetry:
    """One Flink counter per (group, name), made when it is first needed; never touched from another thread."""

    def __init__(self, context: RuntimeContext) -> None:
        self._metrics = context.get_metrics_group().add_group("kairos")
        self._counters: dict[tuple[str, str], Counter] = {}
        self._followed: dict[str, dict[str, int]] = {}

    def count(self, group: str, name: str, by: int = 1) -> None:
        counter = self._counters.get((group, name))
        if counter is None:
            counter = self._counters[group, name] = self._metrics.add_group(group).counter(name)
        counter.inc(by)

    def follow(self, group: str, totals: Mapping[str, int]) -> None:
        """Brings the counters of a group up to totals that someone else counts."""
        known = self._followed.get(group, {})
        if totals == known:
            return
        for name, total in totals.items():
            if total != known.get(name, 0):
                self.count(group, name, total - known.get(name, 0))
        self._followed[group] = dict(totals)
