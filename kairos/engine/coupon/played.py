"""Pools of a run on files: their codes, or made-up ones where nobody but Redis knows them."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.coupon.pools import Pools
from kairos.engine.coupon.spec import Coupon

MADE_UP = 1_000
"""Codes of a pool whose own are elsewhere."""


def played_pools(coupons: Mapping[str, Coupon]) -> Pools:
    return Pools({name: played_codes(name, coupon) for name, coupon in coupons.items()})


def played_codes(name: str, coupon: Coupon) -> tuple[str, ...]:
    return coupon.codes if coupon.codes is not None else tuple(f"{name}-{n}" for n in range(1, MADE_UP + 1))
