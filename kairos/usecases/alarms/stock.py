"""What is left in the pools of coupons. No topic tells of codes that are put in, so the pools are asked."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from kairos.adapters.coupons.port import CouponStore, CouponStoreError
from kairos.engine.alarm.fact import Fact

log = logging.getLogger(__name__)


class Stock:
    """`store` None: the configuration names none."""

    def __init__(self, store: CouponStore | None) -> None:
        self._store = store
        self._away = False

    def facts(self, pools: Iterable[str], now: int) -> list[Fact]:
        """Nothing of a pool that nobody has put a code into, nor while the store is away. `now`: epoch ms."""
        if self._store is None:
            return []
        try:
            counts = {pool: self._store.counts(pool) for pool in pools}
        except CouponStoreError as error:
            if not self._away:
                log.warning("%s", error)
            self._away = True
            return []
        self._away = False
        return [Fact(now, "left", pool, "", found.free) for pool, found in counts.items() if found.known]

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
