"""LowCoupons, told by a pool in SQLite (tests/stack/alarms: in Redis)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.coupons.port import Counts, CouponStoreError
from kairos.adapters.coupons.sqlite import SqliteCoupons
from kairos.adapters.settings.alarms import load
from kairos.apps.alarms.process import open_stock
from kairos.engine.alarm.fact import Fact
from kairos.usecases.alarms.stock import Stock
from tests.unit.alarm.alarm_kit import NOW
from tests.unit.alarm.stock_kit import says_that_codes_run_low


def test_codes_run_low(tmp_path: Path) -> None:
    store = SqliteCoupons(tmp_path / "codes.db")
    says_that_codes_run_low(store, "spring")
    store.close()


def test_the_pools_are_those_of_the_configuration(tmp_path: Path) -> None:
    file, conf = tmp_path / "codes.db", tmp_path / "conf.yaml"
    conf.write_text(f"kafka: {{bootstrap: '127.0.0.1:1'}}\ncoupons: {{file: {file}}}\n")
    store = SqliteCoupons(file)
    store.fill("spring", ["a", "b"])
    store.close()
    stock = open_stock(load(conf))
    assert stock.facts(["spring", "empty"], NOW) == [Fact(NOW, "left", "spring", "", 2)]
    stock.close()
    conf.write_text("kafka: {bootstrap: '127.0.0.1:1'}\n")
    assert open_stock(load(conf)).facts(["spring"], NOW) == []


class Away:
    def counts(self, pool: str) -> Counts:
        raise CouponStoreError("the coupons are away")


def test_a_store_that_is_away_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    stock = Stock(Away())  # type: ignore[arg-type]
    assert [stock.facts(["spring"], NOW), stock.facts(["spring"], NOW)] == [[], []]
    assert caplog.messages == ["the coupons are away"]
