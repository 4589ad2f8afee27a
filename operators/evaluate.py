"""The hot operator: records of one user in, decisions out. It ferries between Flink and the engine, nothing more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from traceback import format_tb

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ValueStateDescriptor

from kairos.engine.engine import Engine
from kairos.engine.event import Event, EventError
from kairos.engine.moment import Settings as EngineSettings
from kairos.engine.user_state import UserState
from operators.bounded import BoundedEngine
from operators.intake import Intake
from operators.outlet import Outlet, Source
from operators.profiles import ProfileSource
from operators.rulebook import Rulebook
from operators.rules import RELEASES
from operators.telemetry import Telemetry
from operators.thread_mode import bare, receive_directly
from operators.user_value import UserValue, take_timer

log = logging.getLogger(__name__)


class EvaluateSettings(msgspec.Struct, frozen=True):
    """`ahead`: ms that an event may be ahead of the clock. `receipts`: None live; a bounded run has no clock."""

    engine: EngineSettings
    ahead: int
    dead_letter_bytes: int
    receipts: list[Event] | None = None


class Evaluate(KeyedBroadcastProcessFunction):
    """One state value a user, written once an event; one timer a user."""

    def __init__(
        self,
        shipped: bytes,
        settings: EvaluateSettings,
        open_profiles: Callable[[Callable[[str], None]], ProfileSource] | None,
        clock: Callable[[], float],
    ) -> None:
        self._shipped = shipped
        self._settings = settings
        self._open_profiles = open_profiles
        self._clock = clock

    def open(self, runtime_context: RuntimeContext) -> None:
        receive_directly(self)
        described = ValueStateDescriptor("user", Types.PICKLED_BYTE_ARRAY())
        self._user = UserValue(bare(runtime_context.get_state(described)))
        self._telemetry = Telemetry(runtime_context)
        count = partial(self._telemetry.count, "profiles")
        self._profiles = self._open_profiles(count) if self._open_profiles else None
        self._engine = self._make_engine()
        self._intake = Intake(self._clock if self._settings.receipts is None else None, self._settings.ahead)
        self._outlet = Outlet(self._telemetry, self._settings.dead_letter_bytes)
        self._rules = Rulebook(self._shipped, self._engine, self._intake, self._profiles, self._telemetry)

    def _make_engine(self) -> Engine:
        settings, profiles = self._settings, self._profiles.get if self._profiles else None
        if settings.receipts is None:
            return Engine(settings.engine, profiles)
        return BoundedEngine(settings.engine, profiles, settings.receipts)

    def close(self) -> None:
        self._engine.script.close()
        if self._profiles is not None:
            self._profiles.close()

    def process_element(self, value: Row, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Iterable[Row]:
        if not self._rules.number:
            self._rules.recall(ctx.get_broadcast_state(RELEASES))
        key, line, timestamp, origin = value
        try:
            event = self._intake.accept(key, line, timestamp)
        except EventError as error:
            return (self._outlet.dead(error.reason, error.message, Source(key, line, timestamp, origin)),)
        if not self._engine.reads(event.type):
            return ()
        if self._profiles is not None:
            self._profiles.expect(event.user_id)
        state = self._user.load()
        timers = ctx.timer_service()
        try:
            effects = self._engine.on_event(key, state, event, timers.current_watermark())
            rows = self._outlet.rows(effects, Source(key, line, timestamp, origin)) if effects else ()
        except Exception as error:  # an event must not end the job, whatever it does to the engine
            source = Source(key, line, timestamp, origin)
            return (self._outlet.dead("engine_error", self._failed(error), source),)
        self._save(state, timers)
        return rows

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Iterator[Row]:
        if not self._rules.number:
            self._rules.recall(ctx.get_broadcast_state(RELEASES))
        state = self._user.load()
        timers = ctx.timer_service()
        # Live, everything that is due at once. In a bounded run timers go one by one, so that all users' decisions come
        # in the order of event time; and at its end the watermark says nothing about time any more.
        until = timers.current_watermark() if self._settings.receipts is None else timestamp
        try:
            effects = self._engine.on_time(ctx.get_current_key(), state, until)
            rows = self._outlet.rows(effects, None)
        except Exception as error:
            self._failed(error)
            self._user.disarm(timestamp)
            return
        take_timer(state, timestamp)
        self._save(state, timers)
        yield from rows

    def _save(self, state: UserState, timers: TimerService) -> None:
        self._user.save(state, self._engine.next_timer(state), timers)
        self._telemetry.follow("engine", self._engine.counters)
        if self._engine.script.failures:
            self._telemetry.follow("javascript", {"failed": self._engine.script.failures})

    def _failed(self, error: Exception) -> str:
        """A mistake in the engine: told and counted; the user's state stays as it was before.

        An event is a dead letter then. What was due stays due: the user's next event asks for it again.
        """
        self._engine.take_effects()
        self._telemetry.count("engine", "failed")
        where = "".join(format_tb(error.__traceback__))  # not what the error says: that may be of the user's data
        log.error("the engine failed, release %d: %s\n%s", self._rules.number, type(error).__name__, where)
        return f"{type(error).__name__}: {error}"

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> Iterable[Row]:
        self._rules.hear(value, ctx.get_broadcast_state(RELEASES))
        return ()
