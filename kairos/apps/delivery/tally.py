"""What a worker has counted, as a line of its log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from kairos.adapters.metrics.declared import LETTERS, MESSAGES, RECALLS, RETRIES
from kairos.adapters.metrics.metrics import Metrics

EVERY = 10
"""Ticks between two lines; nothing is said while nothing changes."""

ALWAYS = ("sent", "retries", "unknown", "expired", "recalled")

log = logging.getLogger(__name__)


def counts_of(metrics: Metrics, channel: str) -> Counter[str]:
    """By what became of it: `sent`, `failed.rejected`, `retries`, `recalls`, `too_late`, `malformed` ..."""
    counts = metrics.totals(MESSAGES, "outcome", channel=channel)
    reasons = metrics.totals(MESSAGES, "reason", channel=channel, outcome="failed")
    counts.update({f"failed.{reason}": n for reason, n in reasons.items()})
    counts.update(metrics.totals(LETTERS, "reason", channel=channel))
    recalls = metrics.totals(RECALLS, "outcome", channel=channel)
    counts.update(recalls=recalls["recalled"], too_late=recalls["too_late"])
    counts["retries"] += int(metrics.value(RETRIES, channel=channel))
    del counts["failed"]
    return +counts


class Tally:
    """`waiting`: how many deliveries are in hand, and Kafka's lag (None: not known)."""

    def __init__(self, channel: str, metrics: Metrics, waiting: Callable[[], tuple[int, int | None]]) -> None:
        self._channel, self._metrics, self._waiting = channel, metrics, waiting
        self._ticks = 0
        self._told = ""

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % EVERY == 0:
            self.tell()

    def tell(self, *, last: bool = False) -> None:
        line = self.line()
        if line != self._told or last:
            log.info("%s: %s", self._channel, line)
        self._told = line

    def line(self) -> str:
        """`sent 12, failed 3 (rejected 2, content 1), retries 0, ..., waiting 5, lag 0`."""
        counts = counts_of(self._metrics, self._channel)
        failed = {name.removeprefix("failed."): n for name, n in sorted(counts.items()) if name.startswith("failed.")}
        reasons = f" ({', '.join(f'{reason} {n}' for reason, n in failed.items())})" if failed else ""
        parts = [f"sent {counts['sent']}", f"failed {sum(failed.values())}{reasons}"]
        parts += [f"{name} {counts[name]}" for name in ALWAYS[1:]]
        rest = sorted(name for name in counts if name not in ALWAYS and not name.startswith("failed."))
        parts += [f"{name} {counts[name]}" for name in rest if counts[name]]
        waiting, lag = self._waiting()
        return ", ".join([*parts, f"waiting {waiting}", f"lag {'unknown' if lag is None else lag}"])
