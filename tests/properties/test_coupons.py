"""Codes of coupons against their slow twin: in memory, and in a file of SQLite."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings

from kairos.adapters.coupons.sqlite import SqliteCoupons
from kairos.engine.coupon.pools import Pools
from tests.coupon_contract import CODES, POOLS, WORDS, agrees, play
from tests.properties.twins.coupons import Twin


@settings(max_examples=60)
@given(WORDS)
def test_in_memory(words: list[Any]) -> None:
    twin = Twin()
    for pool in POOLS:
        twin.fill(pool, CODES)
    assert play(Pools(dict.fromkeys(POOLS, CODES)), words) == play(twin, words)


@settings(max_examples=30)
@given(WORDS)
def test_in_a_file_that_is_opened_anew(words: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        store = SqliteCoupons(Path(folder) / "codes.db")
        agrees(store, words)
        store.close()
        again = SqliteCoupons(Path(folder) / "codes.db")
        assert again.fill("p", CODES) == 0
        again.close()
