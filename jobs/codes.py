"""The codes of coupons are where messages take them from before any rule asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kairos.adapters.coupons.opening import fill, open_store, open_waiting
from kairos.adapters.coupons.port import CouponStoreError
from kairos.adapters.settings.coupons import Coupons
from kairos.engine.rule.release import Release
from operators.dispatch import OpenCoupons
from operators.rules import RuleStore


def opening(place: Coupons | None) -> OpenCoupons | None:
    """For a task; None: there is no place."""
    return partial(open_waiting, place.redis, place.file) if place is not None else None


def put_in_place(place: Coupons | None, release: Release) -> None:
    """Raises CouponStoreError."""
    if not release.rules.coupons:
        return
    if place is None:
        raise CouponStoreError("there are coupons, and no place for their codes: coupons.redis or coupons.file")
    store = open_store(place.redis, place.file)
    try:
        fill(store, release.rules.coupons)
    finally:
        store.close()


class RulesWithCodes:
    """A rule store whose releases are found once their codes are in place."""

    def __init__(self, rules: RuleStore, place: Coupons | None) -> None:
        self._rules, self._place = rules, place

    def latest(self, after: int) -> Release | None:
        """Raises what the store raises, and CouponStoreError."""
        release = self._rules.latest(after)
        if release is not None:
            put_in_place(self._place, release)
        return release


def open_with_codes(open_rules: Callable[[], RuleStore], place: Coupons | None) -> RuleStore:
    return RulesWithCodes(open_rules(), place)
