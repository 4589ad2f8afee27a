"""`kairos coupons`: codes put into their pools, and how many are left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from kairos.adapters.coupons.opening import open_store
from kairos.adapters.coupons.port import Counts
from kairos.engine.coupon.spec import Coupon
from kairos.engine.rule.lower.catalog import codes_in
from kairos.engine.rule.text.report import listed, nearest
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, InputError, NotThereError, reason_of

LONGEST = 200


class Place(Protocol):
    @property
    def redis(self) -> str | None: ...
    @property
    def file(self) -> str | None: ...


class Filled(msgspec.Struct, frozen=True):
    """`new`: of the codes in the file; the others were in the pool before."""

    read: int
    new: int
    counts: Counts


def load_codes(
    file: Path, pool: str, pools: Mapping[str, Coupon], place: Place | None, *, actor: Actor, now: int, log: str
) -> Filled:
    """Puts the codes of a file into a pool. `log`: the rule store in whose log it stands, at `now` (epoch ms).

    Raises NotAllowedError, NotThereError, AskError, InputError, RuleStoreError and CouponStoreError.
    """
    _need_pool(pool, pools)
    try:
        codes = codes_in(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("the codes", str(file), reason_of(error)) from None
    if any(len(code) > LONGEST for code in codes):
        raise InputError("the codes", str(file), f"a line has more than {LONGEST} characters: one code a line")
    begin(log, actor, "write", "load_codes", f"coupons/{pool}", now)
    store = open_store(*_named(place))
    try:
        return Filled(len(codes), store.fill(pool, codes), store.counts(pool))
    finally:
        store.close()


def counts_of(pools: Mapping[str, Coupon], place: Place | None) -> dict[str, Counts]:
    """How many codes of each pool are left. Raises CouponStoreError."""
    store = open_store(*_named(place))
    try:
        return {name: store.counts(name) for name in sorted(pools)}
    finally:
        store.close()


def _named(place: Place | None) -> tuple[str | None, str | None]:
    return (place.redis, place.file) if place is not None else (None, None)


def _need_pool(pool: str, pools: Mapping[str, Coupon]) -> None:
    """Codes in a pool that nobody takes from would lie there."""
    if pool not in pools:
        known = f"there are {listed(pools, 'and')}" if pools else "coupons.yaml has none"
        raise NotThereError(f"there is no pool of coupons '{pool}'; {nearest(pool, pools) or known}")
    if pools[pool].codes is not None:
        raise AskError(f"the codes of '{pool}' come from a file of the rules; add them there, and publish")
