"""The catalog's operator without Flink: words in the order of event time, each follower told, nothing kept too long."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import msgspec

from kairos.engine.catalog.item import Follow, Load
from kairos.engine.event import decode
from operators.catalog import DAY, TOPIC, CatalogItems

T = 1_763_778_000_000
PLACE = "products/p1"


class Flink:
    """What Flink is to the operator: contexts, state of one key, timers, counters."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.words: list[bytes] = []
        self.followers: dict[str, int] = {}
        self.timers: set[int] = set()
        self.watermark = 0
        self.counted: Counter[str] = Counter()

    def get_state(self, descriptor: Any) -> Any:
        values, name = self.values, descriptor.get_name()

        class Value:
            def value(self) -> Any:
                return values.get(name)

            def update(self, value: Any) -> None:
                values[name] = value

            def clear(self) -> None:
                values.pop(name, None)

        return Value()

    def get_list_state(self, _descriptor: object) -> Any:
        flink = self

        class Many:
            def get(self) -> list[bytes]:
                return list(flink.words)

            def add(self, value: bytes) -> None:
                flink.words.append(value)

            def update(self, values: list[bytes]) -> None:
                flink.words = values

        return Many()

    def get_map_state(self, _descriptor: object) -> Any:
        state = self.followers

        class Map:
            put, get, items, remove = state.__setitem__, state.get, state.items, state.__delitem__

        return Map()

    def get_metrics_group(self) -> Flink:
        return self

    def add_group(self, _name: str) -> Flink:
        return self

    def counter(self, name: str) -> Any:
        counted = self.counted

        class One:
            def inc(self, by: int = 1) -> None:
                counted[name] += by

        return One()

    def timer_service(self) -> Flink:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, time: int) -> None:
        self.timers.add(time)

    def get_current_key(self) -> str:
        return PLACE


class Shop:
    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Any] = {}

    def put(self, catalog: str, key: str, fields: Any) -> None:
        self.items[catalog, key] = fields

    def close(self) -> None:
        pass


class Operator:
    def __init__(self) -> None:
        self.flink, self.shop, self.now = Flink(), Shop(), T
        self.open()

    def open(self) -> None:
        """Anew, over the state that is there."""
        self.function = CatalogItems(lambda: self.now / 1000, lambda _count: self.shop)
        self.function.open(self.flink)  # type: ignore[arg-type]

    def hear(self, *words: Follow | Load) -> None:
        for word in words:
            self.function.process_element((msgspec.msgpack.encode(word), word.at), self.flink)  # type: ignore[arg-type]

    def advance(self, watermark: int) -> list[tuple[str, str, dict[str, Any]]]:
        """(id, user, props) of what is told."""
        self.flink.watermark = watermark
        rows = []
        while due := sorted(time for time in self.flink.timers if time <= watermark):
            self.flink.timers -= set(due)
            rows += [row for time in due for row in self.function.on_timer(time, self.flink)]  # type: ignore[arg-type]
        told = [(row[0], row[1], row[3], decode(row[2])) for row in rows]
        assert all((topic, key, at) == (TOPIC, event.user_id, event.time) for topic, key, at, event in told)
        return [(event.id, event.user_id, event.props) for *_, event in told]


def load(at: int, **fields: Any) -> Load:
    return Load(at, {"sku": "p1"}, fields)


def follow(at: int, user: str, days: int = 7, most: int = 100) -> Follow:
    return Follow(at, user, at + days * DAY, most)


def test_words_wait_for_the_watermark_and_go_in_the_order_of_time() -> None:
    operator = Operator()
    operator.hear(load(T + 9, price=8), follow(T + 5, "u1"), load(T, price=9), follow(T + 10, "u2"))
    assert operator.advance(T + 8) == []
    change = {"catalog": "products", "sku": "p1", "price": 8, "was_price": 9}
    assert operator.advance(T + 10) == [(f"catalog/products/p1/{T + 9}/u1", "u1", change)]
    assert operator.shop.items == {("products", "p1"): {"sku": "p1", "price": 8}}
    assert operator.flink.counted == {"catalog_changes": 1, "catalog_told": 1}


def test_one_timer_waits_for_however_many_words() -> None:
    operator = Operator()
    for n in range(1_000):
        operator.hear(follow(T + n, f"u{n}", most=1_000))
    assert operator.flink.timers == {T}
    operator.advance(T + 499)
    assert len(operator.flink.followers) == 500
    assert [time for time in operator.flink.timers if time % DAY] == [T + 500]
    operator.advance(T + 2_000)
    assert len(operator.flink.followers) == 1_000


def test_told_again_after_a_restore_a_change_has_the_same_id_and_the_clocks_time() -> None:
    operator = Operator()
    operator.hear(load(T, price=9), follow(T, "u1"))
    operator.advance(T)
    kept = dict(operator.flink.values), dict(operator.flink.followers)
    told = []
    for later in (5_000, 60_000):
        operator.flink.values = dict(kept[0])
        operator.flink.followers.clear()
        operator.flink.followers.update(kept[1])
        operator.now = T + later
        operator.open()
        operator.hear(load(T + 1, price=8))
        told += operator.advance(T + 1)
    assert told[0] == told[1]


def test_what_is_older_than_the_item_is_counted_and_changes_nothing() -> None:
    operator = Operator()
    operator.hear(load(T + 5, price=9), follow(T, "u1"))
    operator.advance(T + 5)
    operator.hear(load(T + 1, price=1))
    assert operator.advance(T + 6) == []
    assert operator.flink.counted["catalog_late"] == 1


def test_followers_are_forgotten_when_their_time_is_over() -> None:
    operator = Operator()
    operator.hear(load(T, price=9), follow(T, "u1", days=1), follow(T, "u2", days=3))
    operator.advance(T)
    assert len(operator.flink.timers) == 1
    operator.advance(T + 2 * DAY)
    assert set(operator.flink.followers) == {"u2"}
    operator.advance(T + 5 * DAY)
    assert (operator.flink.followers, operator.flink.timers) == ({}, set())


def test_telling_many_followers_takes_no_more_memory_than_telling_a_few() -> None:
    operator, many = Operator(), 20_000
    operator.hear(load(T, price=9), follow(T, "u"))
    operator.advance(T)
    operator.flink.followers.update({f"u{n}": T + DAY for n in range(many)})
    operator.hear(load(T + 1, price=8))
    operator.flink.watermark = T + 1
    tracemalloc.start()
    told = sum(1 for _ in operator.function.on_timer(T + 1, operator.flink))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told == many + 1
    assert peak < 200_000
