"""Items of catalogs and who follows them: words about one item in, `catalog.changed` of each follower out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ListStateDescriptor, MapState, MapStateDescriptor, ValueStateDescriptor

from kairos.engine.catalog.changed import changed_event
from kairos.engine.catalog.item import Change, Item, Load, Word, apply, followed_by, props_of, sweep
from kairos.engine.event import KAIROS
from kairos.engine.schedule.due import line_of
from kairos.engine.topics import events_topic
from operators.rows import output
from operators.telemetry import Telemetry

DAY = 86_400_000
TOPIC = events_topic(KAIROS)


class Shop(Protocol):
    """Where items are looked up: it is told what each has become."""

    def put(self, catalog: str, key: str, fields: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


OpenShop = Callable[[Callable[[str], None]], Shop]


class InState:
    """Followers as Flink keeps them: `kairos.engine.catalog.item.Followers`."""

    def __init__(self, state: MapState) -> None:
        self._state = state

    def get(self, user_id: str) -> int | None:
        until = self._state.get(user_id)
        return None if until is None else int(until)

    def __setitem__(self, user_id: str, until: int) -> None:
        self._state.put(user_id, until)

    def __delitem__(self, user_id: str) -> None:
        self._state.remove(user_id)

    def items(self) -> Iterable[tuple[str, int]]:
        found: Iterable[tuple[str, int]] = self._state.items()
        return found


class CatalogItems(KeyedProcessFunction):
    """Keyed by item, `<catalog>/<key>`. Words wait until the watermark has reached them, so that they are applied in
    the order of event time. One timer is set for the earliest, however many wait. Followers are told one after the
    other; however many they are, none is held in memory.

    `clock`: epoch seconds. What is told has the clock's time, for a user's state may have gone on; what makes it the
    same, told twice, is its id. `open_shop` None: nobody looks items up.
    """

    def __init__(self, clock: Callable[[], float], open_shop: OpenShop | None = None) -> None:
        self._clock, self._open_shop = clock, open_shop

    def open(self, runtime_context: RuntimeContext) -> None:
        self._item = runtime_context.get_state(ValueStateDescriptor("item", Types.PICKLED_BYTE_ARRAY()))
        self._waiting = runtime_context.get_list_state(ListStateDescriptor("words", Types.PICKLED_BYTE_ARRAY()))
        self._next = runtime_context.get_state(ValueStateDescriptor("next", Types.LONG()))
        followers = MapStateDescriptor("followers", Types.STRING(), Types.LONG())
        self._followers = InState(runtime_context.get_map_state(followers))
        self._decode = msgspec.msgpack.Decoder(Word).decode
        self._decode_item = msgspec.msgpack.Decoder(Item).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._telemetry = Telemetry(runtime_context)
        self._counts: Counter[str] = Counter()
        self._shop = self._open_shop(partial(self._telemetry.count, "items")) if self._open_shop else None

    def close(self) -> None:
        shop: Shop | None = getattr(self, "_shop", None)  # it may not have been opened
        if shop is not None:
            shop.close()

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterable[Row]:
        word, at = value
        self._waiting.add(word)
        self._wake(ctx.timer_service(), at)
        return ()

    def _wake(self, timers: TimerService, at: int) -> None:
        """Sets the timer for the earliest word. One that an earlier word has made needless finds nothing due."""
        known = self._next.value()
        if known is None or at < known:
            timers.register_event_time_timer(at)
            self._next.update(at)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Takes everything that is due at once."""
        timers = ctx.timer_service()
        watermark, next_at = timers.current_watermark(), self._next.value()
        is_due = next_at is not None and next_at <= watermark
        if not is_due and timestamp % DAY:
            return
        kept = self._item.value()
        item = Item() if kept is None else self._decode_item(kept)
        if is_due:
            yield from self._advance(ctx.get_current_key(), item, self._take(timers, watermark))
        if timestamp % DAY == 0:
            sweep(item, self._followers, timestamp)
        if item.followers:
            timers.register_event_time_timer(timestamp // DAY * DAY + DAY)
        self._item.update(self._encode(item))
        self._telemetry.follow("catalog", self._counts)

    def _take(self, timers: TimerService, watermark: int) -> list[Word]:
        words = [self._decode(word) for word in self._waiting.get()]
        later = [word for word in words if word.at > watermark]
        self._waiting.update([self._encode(word) for word in later])
        self._next.clear()
        if later:
            self._wake(timers, min(word.at for word in later))
        return [word for word in words if word.at <= watermark]

    def _advance(self, place: str, item: Item, due: list[Word]) -> Iterator[Row]:
        catalog, _, key = place.partition("/")
        for change in apply(item, self._followers, due, self._counts):
            self._put(catalog, key, item)
            yield from self._tell(catalog, key, change)
        if any(isinstance(word, Load) for word in due):
            self._put(catalog, key, item)

    def _put(self, catalog: str, key: str, item: Item) -> None:
        if self._shop is not None and item.fields is not None:
            self._shop.put(catalog, key, {**item.key, **item.fields})

    def _tell(self, catalog: str, key: str, change: Change) -> Iterator[Row]:
        props, told = props_of(catalog, change), 0
        for user in followed_by(self._followers, change.at):
            at = max(change.at, int(self._clock() * 1000))
            event = changed_event(catalog, key, change.at, user, props, at)
            yield output(TOPIC, user, line_of(event), at)
            told += 1
        self._counts["catalog_changes"] += 1
        self._counts["catalog_told"] += told
