"""The hot operator: records of one user in, decisions out. It ferries between Flink and the engine, nothing more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from traceback import format_tb
from typing import Any, Protocol

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from kairos.engine.catalog.item import words_of
from kairos.engine.catalog.items import Fields, no_items
from kairos.engine.coupon.played import played_pools
from kairos.engine.engine import Engine
from kairos.engine.event import RECEIPT, Event, EventError
from kairos.engine.gate.budget import Purse
from kairos.engine.play.expected_receipts import ExpectedReceipts
from kairos.engine.profile.topics import change_of
from kairos.engine.settings import Settings as EngineSettings
from kairos.engine.user.state import UserState
from operators.contract import Contract
from operators.dispatch import OpenCoupons
from operators.outlet import Handled, Outlet
from operators.profiles import ProfileSource
from operators.rows import WORDS, output
from operators.rulebook import Rulebook
from operators.rules import RELEASES, decode_shipped
from operators.telemetry import Telemetry
from operators.thread_mode import bare, receive_directly
from operators.user_value import UserValue, take_timer

log = logging.getLogger(__name__)


class OpenedItems(Protocol):
    """`kairos.engine.catalog.items.Items`, until it is closed."""

    def __call__(self, catalog: str, key: str, instant: int, /) -> Fields | None: ...
    def close(self) -> None: ...


OpenItems = Callable[[Callable[[str], None]], OpenedItems]


class EvaluateSettings(msgspec.Struct, frozen=True):
    """`ahead`: ms that an event may be ahead of the clock. `receipts`: those in the input of a bounded run, which has
    no clock; None live. `fence`: what every delivery carries."""

    engine: EngineSettings
    ahead: int
    dead_letter_bytes: int
    receipts: list[Event] | None = None
    fence: str = ""


class Evaluate(KeyedBroadcastProcessFunction):
    """One state value a user, written once an event; one timer a user."""

    def __init__(
        self,
        shipped: bytes,
        settings: EvaluateSettings,
        open_profiles: Callable[[Callable[[str], None]], ProfileSource] | None,
        clock: Callable[[], float],
        open_items: OpenItems | None = None,
        open_coupons: OpenCoupons | None = None,
    ) -> None:
        """`open_items`: where items are looked up; None: nobody knows any. `open_coupons`: of a bounded run; None: its
        codes are those of the release."""
        self._open_items, self._open_coupons = open_items, open_coupons
        self._shipped = shipped
        self._settings = settings
        self._open_profiles = open_profiles
        self._clock = clock

    def open(self, runtime_context: RuntimeContext) -> None:
        receive_directly(self)
        value = ValueStateDescriptor("user", Types.PICKLED_BYTE_ARRAY())
        shelf = MapStateDescriptor("apart", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
        self._user = UserValue(bare(runtime_context.get_state(value)), bare(runtime_context.get_map_state(shelf)))
        self._telemetry = Telemetry(runtime_context)
        count = partial(self._telemetry.count, "profiles")
        self._profiles = self._open_profiles(count) if self._open_profiles else None
        self._items = self._open_items(partial(self._telemetry.count, "items")) if self._open_items else None
        self._engine = self._make_engine()
        self._most_bytes = 2 * self._settings.engine.user_bytes  # kept, and as much that waits for the watermark
        self._engine.script.on_refusal = self._refused
        self._contract = Contract(self._clock if self._settings.receipts is None else None, self._settings.ahead)
        self._outlet = Outlet(self._telemetry, self._settings.dead_letter_bytes, self._settings.fence)
        self._rules = Rulebook(self._shipped, self._engine, self._contract, self._profiles, self._telemetry)

    def _make_engine(self) -> Engine:
        settings, profiles, items = self._settings, self._of_now if self._profiles else None, self._items or no_items
        if settings.receipts is None:
            return Engine(settings.engine, profiles, items=items)
        # One task sees all users in the order of event time: budgets are spent at once, as in a simulation.
        return Engine(settings.engine, profiles, self._purse(), ExpectedReceipts(settings.receipts), items=items)

    def _purse(self) -> Purse:
        if self._open_coupons is not None:
            return Purse(self._open_coupons(partial(self._telemetry.count, "coupons")))
        return Purse(played_pools(decode_shipped(self._shipped).release.rules.coupons))

    def _of_now(self, user_id: str, _instant: int) -> Mapping[str, Any] | None:
        """Profiles are as they are now, at the newest instant that is decided."""
        return self._profiles.get(user_id) if self._profiles is not None else None

    def close(self) -> None:
        if not hasattr(self, "_engine"):
            return  # it was not opened, and what went wrong there is said
        self._engine.script.close()
        if self._profiles is not None:
            self._profiles.close()
        if self._items is not None:
            self._items.close()

    def process_element(self, value: Row, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Iterable[Row]:
        if not self._rules.number:
            self._rules.recall(ctx.get_broadcast_state(RELEASES))
        key, line, timestamp, origin = value
        try:
            event = self._contract.accept(key, line, timestamp)
        except EventError as error:
            return (self._outlet.dead(error.reason, error.message, Handled(key, line, timestamp, origin)),)
        except Exception as error:  # whatever a record does to those who look at it
            return (self._outlet.dead("engine_error", self._failed(error), Handled(key, line, timestamp, origin)),)
        if self._profiles is not None and (change := change_of(event)) is not None:
            self._profiles.say(change)
        words = self._words(event) if self._rules.catalogs else ()
        if not self._engine.reads(event.type):
            return words
        if self._profiles is not None:
            self._profiles.expect(event.user_id)
        state = self._user.load()
        if self._user.size > self._most_bytes and event.type != RECEIPT:
            message = f"{self._user.size:,} bytes of this user wait or are kept; limits.user_bytes allows no more"
            return (self._outlet.dead("user_full", message, Handled(key, line, timestamp, origin)),)
        timers = ctx.timer_service()
        try:
            effects = self._engine.on_event(key, state, event, timers.current_watermark())
            rows = self._outlet.rows(effects, Handled(key, line, timestamp, origin)) if effects else ()
            self._save(key, state, timers)
        except Exception as error:  # an event must not end the job, whatever it does to the engine
            source = Handled(key, line, timestamp, origin)
            return (*words, self._outlet.dead("engine_error", self._failed(error), source))
        return [*words, *rows] if words else rows

    def _words(self, event: Event) -> list[Row]:
        """What the event says of items. In a bounded run all is known beforehand."""
        if self._settings.receipts is not None:
            return []
        words = words_of(self._rules.catalogs, event, self._engine.counters)
        encode = msgspec.msgpack.encode
        return [output(WORDS, f"{catalog}/{key}", encode(word), event.time) for catalog, key, word in words]

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Sequence[Row]:
        if not self._rules.number:
            self._rules.recall(ctx.get_broadcast_state(RELEASES))
        key, state, timers = ctx.get_current_key(), self._user.load(), ctx.timer_service()
        # Live, everything that is due at once. In a bounded run timers go one by one, so that all users' decisions come
        # in the order of event time; and at its end the watermark says nothing about time any more.
        until = timers.current_watermark() if self._settings.receipts is None else timestamp
        try:
            effects = self._engine.on_time(key, state, until)
            rows = self._outlet.rows(effects, None)
            take_timer(state, timestamp)
            self._save(key, state, timers)
        except Exception as error:
            self._failed(error)
            self._user.disarm(timestamp)
            return ()
        return rows

    def _save(self, user_id: str, state: UserState, timers: TimerService) -> None:
        self._user.save(state, self._engine.next_timer(user_id, state), timers)
        self._telemetry.follow("engine", self._engine.counters)
        script = self._engine.script
        if script.failures or script.refusals:
            self._telemetry.follow("javascript", {"failed": script.failures, "refused": script.refusals})

    def _refused(self, script: str) -> None:
        named = [name for name, rule in self._engine.program.activities.items() if script in str(rule.spec)]
        log.error("JavaScript of %s takes too long: it counts as false for a while", " and ".join(named) or "a rule")

    def _failed(self, error: Exception) -> str:
        """Counts and logs a failure of the engine; the user's state stays as it was.

        An event becomes a dead letter. What was due stays due: the user's next event asks for it again.
        """
        self._telemetry.count("engine", "failed")
        where = "".join(format_tb(error.__traceback__))  # not what the error says: that may be of the user's data
        log.error("the engine failed, release %d: %s\n%s", self._rules.number, type(error).__name__, where)
        return f"{type(error).__name__}: {error}"

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> Iterable[Row]:
        loss = self._rules.hear(value, ctx.get_broadcast_state(RELEASES))
        return (self._outlet.lost(loss, int(self._clock() * 1000)),) if loss is not None else ()
