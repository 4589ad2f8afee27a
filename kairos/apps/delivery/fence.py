"""Refuses what an engine decided after another had taken its place."""

from __future__ import annotations

from collections.abc import Iterable

from kairos.adapters.delivery.engine_lease import Lease
from kairos.engine.effect import Delivery

FENCED = "fenced"
"""Why such a delivery is a dead letter. It has no row in the ledger: the same occurrence, decided rightly, may go."""


class Fence:
    """Of one worker; `learn` once a second. A delivery without a fence is of a job without a lease, and passes."""

    def __init__(self) -> None:
        self._taken: dict[str, dict[int, int]] = {}

    def learn(self, leases: Iterable[Lease]) -> None:
        for lease in leases:
            self._taken.setdefault(lease.name, {})[lease.generation] = lease.taken_at

    def refusal(self, delivery: Delivery) -> str | None:
        """Why a delivery is refused; None: it is not.

        What was decided before the next generation began is as good as ever: it waits in the topic, or is repeated from
        a checkpoint.
        """
        name, _, number = delivery.fence.partition("/")
        if not number.isdecimal() or len(number) > 18:
            return None
        later = {g: at for g, at in self._taken.get(name, {}).items() if g > int(number) and at < delivery.at}
        if not later:
            return None
        return f"decided by generation {number} after generation {min(later)} had taken over"
