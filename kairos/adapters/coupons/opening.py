"""The store of codes that a configuration names, for those who wait for it and those who do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from kairos.adapters.coupons.port import CouponStore, CouponStoreError
from kairos.adapters.coupons.redis import RedisCoupons
from kairos.adapters.coupons.sqlite import SqliteCoupons
from kairos.backoff import Backoff
from kairos.engine.coupon.pools import Claim, Return
from kairos.engine.coupon.spec import Coupon

BACKOFF_SECONDS = (0.05, 2.0)
_T = TypeVar("_T")


def open_store(url: str | None, file: str | None) -> CouponStore:
    """Raises CouponStoreError."""
    if file is not None:
        return SqliteCoupons(Path(file))
    if url is not None:
        return RedisCoupons(url)
    raise CouponStoreError("the configuration names no place for the codes of coupons: coupons.redis or coupons.file")


def fill(store: CouponStore, coupons: Mapping[str, Coupon]) -> None:
    """The pools whose codes the rules bring along. What is in already stays as it is. Raises CouponStoreError."""
    for name, coupon in coupons.items():
        if coupon.codes is not None:
            store.fill(name, coupon.codes)


class Waiting:
    """For the job: with the store away it waits, with a growing pause. `count` hears of `taken`, `refused`, `returned`
    and `failure`."""

    def __init__(
        self, store: CouponStore, count: Callable[[str], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._store, self._count, self._pause = store, count, pause

    def take(self, claim: Claim) -> str | None:
        code = self._until(lambda: self._store.take(claim))
        self._count("refused" if code is None else "taken")
        return code

    def give_back(self, back: Return) -> None:
        self._until(lambda: self._store.give_back(back))
        self._count("returned")

    def close(self) -> None:
        self._store.close()

    def _until(self, call: Callable[[], _T]) -> _T:
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            try:
                return call()
            except CouponStoreError:
                self._count("failure")
                self._pause(backoff.pause())


def open_waiting(url: str | None, file: str | None, count: Callable[[str], None]) -> Waiting:
    return Waiting(open_store(url, file), count)
