"""What the store of sources does in every database: run on SQLite here, on MariaDB in `tests/stack`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sql

from kairos.adapters.sources.port import Access, Entry, SourceStoreError, key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.adapters.sources.tables import SOURCES
from kairos.engine.rule.model import EventSchema, Source
from tests import database_contract

SHOP = Source("shop", {"order": EventSchema({"order_id": "string"}, ("order_id",))})
APP = Source(
    "app", {"view": EventSchema({})}, identity={"device_id": "redis"}, mapping={"id": "no", "props": "*"}
)  # fmt: skip


def store(address: str) -> SqlSourceStore:
    return SqlSourceStore(address, clock=lambda: 1_000)


def change(address: str, name: str, **values: object) -> None:
    """As a hand in the database would."""
    engine = sql.create_engine(address)
    with engine.begin() as connection:
        connection.execute(SOURCES.update().where(SOURCES.c.name == name).values(**values))
    engine.dispose()


def check_what_is_put_is_read(address: str) -> None:
    people, gateway = store(address), store(address)
    assert gateway.read().entries == {}
    assert people.put(SHOP, "ann")
    assert people.put(APP, "ann")
    assert gateway.read().entries == {"app": Entry(APP), "shop": Entry(SHOP)}
    assert not people.put(Source("shop", {}), "bob")
    assert gateway.read().entries["shop"] == Entry(Source("shop", {}))
    assert people.changes("shop") == [(1_000, "bob", "definition replaced"), (1_000, "ann", "added")]


def check_limits_and_switches_hold_for_the_next_reader(address: str) -> None:
    people, gateway = store(address), store(address)
    people.put(SHOP, "ann")
    people.set("shop", {"rate": 2.5, "max_bytes": 900, "hmac": '{"env": "SHOP"}', "priority": 0}, "limits", "ann")
    assert gateway.read().entries["shop"].access == Access((), {"env": "SHOP"}, 2.5, 900, 0)
    people.set("shop", {"enabled": False}, "off", "ann")
    people.set("shop", {"enabled": False}, "off", "ann")
    assert not gateway.read().entries["shop"].source.enabled
    with pytest.raises(SourceStoreError, match=r"no source 'shpo' .* there are shop"):
        people.set("shpo", {"enabled": False}, "off", "ann")


def check_keys(address: str) -> None:
    people, gateway = store(address), store(address)
    people.put(SHOP, "ann")
    for key in ("k1", "k2"):
        people.add_key("shop", key_hash(key), "phone app", "ann")
    assert set(gateway.read().entries["shop"].access.keys) == {key_hash("k1"), key_hash("k2")}
    assert {(key.id, key.label) for key in people.keys("shop")} == {
        (key_hash(key)[:8], "phone app") for key in ("k1", "k2")
    }
    for wrong in ("", "zz"):
        with pytest.raises(SourceStoreError, match="keys"):
            people.revoke_key("shop", wrong, "ann")
    people.revoke_key("shop", key_hash("k1")[:8], "bob")
    assert gateway.read().entries["shop"].access.keys == (key_hash("k2"),)
    with pytest.raises(SourceStoreError):
        people.add_key("nowhere", key_hash("k3"), "", "ann")


def check_a_bad_row_leaves_the_last_good_state(address: str) -> None:
    people, gateway = store(address), store(address)
    people.put(SHOP, "ann")
    people.put(APP, "ann")
    gateway.read()
    change(address, "shop", definition="shop: {evnets: {}}", enabled=False)
    change(address, "app", rate=-1)
    found = gateway.read()
    assert found.entries["shop"].source.events == SHOP.events
    assert not found.entries["shop"].source.enabled
    assert found.entries["app"] == Entry(APP)
    assert sorted(problem.split(" in ")[0] for problem in found.problems) == [
        "source 'app'", "the definition of source 'shop'",
    ]  # fmt: skip
    assert any("did you mean 'events'" in problem for problem in found.problems)
    assert store(address).read().entries == {}
    change(address, "shop", definition="other: {}")
    assert any("it is of other" in problem for problem in gateway.read().problems)
    people.put(SHOP, "ann")
    assert gateway.read().entries["shop"] == Entry(SHOP)


def check_many_may_look_first(address: str) -> None:
    with ThreadPoolExecutor(4) as together:
        assert [snapshot.entries for snapshot in together.map(lambda _: store(address).read(), range(4))] == [{}] * 4


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


def clear(address: str) -> None:
    engine = sql.create_engine(address)
    database_contract.clear(engine)
    engine.dispose()
