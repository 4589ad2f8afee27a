"""A pool from which codes really go, minute by minute, beside the alarms: asked alike of every store."""

from __future__ import annotations

import asyncio
import json

from kairos.adapters.alarms.kafka import Read
from kairos.adapters.alarms.said import SaidFile
from kairos.adapters.coupons.port import CouponStore
from kairos.engine.alarm.spec import Alarms, Change, Known
from kairos.engine.alarm.watch import Watch
from kairos.engine.coupon.pools import Claim
from kairos.usecases.alarms.follow import Desk, Following
from kairos.usecases.alarms.stock import Stock
from tests.unit.alarm.alarm_kit import HOUR, MINUTE, NOW, only
from tests.unit.warehouse.warehouse_kit import decision

A_MINUTE = 5
CODES = 400


class Shop:
    """An activity that gives each of five users a minute a code. The rules say that there are a million."""

    def __init__(self, store: CouponStore, pool: str) -> None:
        self.now, self.said, self.given = NOW, list[Change](), 0
        self._store, self._pool = store, pool
        self._waiting: list[Read] = []
        known, stock = Known(pools={"hello": (pool,)}, codes={pool: 1_000_000}), Stock(store)
        self._following = Following(
            Watch(only("LowCoupons", limit=HOUR), known), Desk(Alarms(), {}, SaidFile(None)), self,
            lambda: self.now, lambda: self.now, self.said.append, 0, 0, lambda at: stock.facts([pool], at),
        )  # fmt: skip

    def look(self) -> None: ...

    def take(self, seconds: float) -> list[Read]:
        taken, self._waiting = self._waiting, []
        return taken

    def has_caught_up(self) -> bool:
        return True

    def minute(self) -> None:
        for _ in range(A_MINUTE):
            self.given += 1
            who = f"{self._pool}-{self.given}"
            assert self._store.take(Claim("code", self._pool, who, who, who, 0)) is not None
            self._waiting.append(Read("decisions", json.dumps(decision(self.now, user_id=who)).encode()))
        self.now += MINUTE
        asyncio.run(self._following.round())


def says_that_codes_run_low(store: CouponStore, pool: str) -> None:
    """When no more are left than went in the last hour, and not when more are put in."""
    store.fill(pool, [f"{pool}-{n}" for n in range(CODES)])
    shop = Shop(store, pool)
    while not shop.said:
        assert shop.given < CODES
        shop.minute()
    (alarm,) = shop.said
    assert (alarm.alarm, alarm.label, alarm.subject, alarm.firing) == ("LowCoupons", "pool", pool, True)
    assert shop.given == CODES // 2, "as many are left as have gone"
    assert alarm.text.startswith(f"codes left: {CODES // 2}; ")
    store.fill(pool, [f"{pool}-more-{n}" for n in range(10 * CODES)])
    shop.minute()
    assert [change.firing for change in shop.said] == [True, False]
