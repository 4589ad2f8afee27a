"""A pool as coupons.yaml declares it."""

from __future__ import annotations

import msgspec


class Coupon(msgspec.Struct, frozen=True):
    """`codes` None: they are in Redis, put there by `kairos coupons load`. `per_user` None: no limit."""

    codes: tuple[str, ...] | None = None
    per_user: int | None = None
