"""The hot operator: records of one user in, decisions out. It ferries between Flink and the engine, nothing more."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ReadOnlyBroadcastState, ValueStateDescriptor

from kairos.engine.engine import Engine
from kairos.engine.event import Event, EventError
from kairos.engine.moment import Settings as EngineSettings
from kairos.engine.rule.compile import Plan, compile_release
from kairos.engine.rule.release import Release
from kairos.engine.user_state import StateCodec, UserState
from operators.bounded import BoundedEngine
from operators.intake import Intake
from operators.outlet import Outlet, Source
from operators.profiles import ProfileSource
from operators.rules import RELEASES, Announcement, following, keep_releases, known_releases, submission_of
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

_TIMER = struct.Struct(">q")
_NO_TIMER = -1


class EvaluateSettings(msgspec.Struct, frozen=True):
    """`ahead`: ms that an event may be ahead of the clock. `receipts`: None live; a bounded run has no clock."""

    engine: EngineSettings
    ahead: int
    dead_letter_bytes: int
    receipts: list[Event] | None = None


class Evaluate(KeyedBroadcastProcessFunction):
    """State of a user: 8 bytes of the timer that is registered, then the engine's value."""

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
        self._state = runtime_context.get_state(ValueStateDescriptor("user", Types.PICKLED_BYTE_ARRAY()))
        self._codec = StateCodec()
        self._telemetry = Telemetry(runtime_context)
        count = partial(self._telemetry.count, "profiles")
        self._profiles = self._open_profiles(count) if self._open_profiles else None
        self._engine = self._make_engine()
        self._plan: Plan | None = None
        self._known: list[Release] = []
        self._announcement = msgspec.msgpack.Decoder(Announcement).decode
        self._intake = Intake(self._clock if self._settings.receipts is None else None, self._settings.ahead)
        self._outlet = Outlet(self._telemetry, self._settings.dead_letter_bytes)

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
        if self._plan is None:
            self._recall_releases(ctx.get_broadcast_state(RELEASES))
        key, line, timestamp, origin = value
        try:
            event = self._intake.accept(key, line, timestamp)
        except EventError as error:
            return (self._outlet.dead(error.reason, error.message, Source(key, line, timestamp, origin)),)
        if not self._engine.reads(event.type):
            return ()
        if self._profiles is not None:
            self._profiles.expect(event.user_id)
        state, armed = self._load()
        timers = ctx.timer_service()
        watermark = timers.current_watermark()
        source = Source(key, line, timestamp, origin)
        try:
            effects = self._engine.on_event(event.user_id, state, event, watermark)
            rows = [self._outlet.row(effect, source) for effect in effects]
        except Exception as error:  # an event must not end the job, whatever it does to the engine
            return (self._outlet.dead("engine_error", self._failed(error), source),)
        self._save(state, armed, timers)
        return rows

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Iterator[Row]:
        if self._plan is None:
            self._recall_releases(ctx.get_broadcast_state(RELEASES))
        state, armed = self._load()
        timers = ctx.timer_service()
        # Live, everything that is due at once. In a bounded run timers go one by one, so that all users' decisions come
        # in the order of event time; and at its end the watermark says nothing about time any more.
        until = timers.current_watermark() if self._settings.receipts is None else timestamp
        try:
            effects = self._engine.on_time(ctx.get_current_key(), state, until)
            rows = [self._outlet.row(effect, None) for effect in effects]
        except Exception as error:
            self._failed(error)
            return
        self._save(state, armed if armed > timestamp else _NO_TIMER, timers)
        yield from rows

    def _failed(self, error: Exception) -> str:
        """A mistake in the engine: told and counted; the user's state stays as it was before."""
        self._engine.take_effects()
        self._telemetry.count("engine", "failed")
        log.error("the engine failed, release %d", self._plan.number if self._plan else 0, exc_info=error)
        return f"{type(error).__name__}: {error}"

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> Iterable[Row]:
        """A release. One that cannot be used is refused, and the one in force stays."""
        state = ctx.get_broadcast_state(RELEASES)
        if self._plan is None:
            self._recall_releases(state)
        try:
            announcement = self._announcement(value)
            release = following(self._known[-1], announcement, submission_of(state))
            if release is not None:
                self._adopt(release)
                self._telemetry.count("rules", "adopted")
        except Exception as error:  # whatever is wrong with a release must not end the job
            log.error("a release was refused, release %d stays in force: %s", self._plan.number, error)
            self._telemetry.count("rules", "refused")
            return ()
        keep_releases(self._known, announcement.submitted, state)
        return ()

    def _recall_releases(self, state: ReadOnlyBroadcastState) -> None:
        """At the first record after a start or restore: broadcast state is back, but nobody has called us about it."""
        for release in known_releases(self._shipped, state):
            self._adopt(release)

    def _adopt(self, release: Release) -> None:
        plan = compile_release(release, self._plan, max_runs=self._settings.engine.max_runs, script=self._engine.script)
        self._engine.adopt(plan)
        self._plan = plan
        self._known = [*self._known, release][-2:]
        self._intake.expect(release.rules.sources)

    def _load(self) -> tuple[UserState, int]:
        value = self._state.value()
        if value is None:
            return UserState(), _NO_TIMER
        return self._codec.decode(memoryview(value)[_TIMER.size :]), _TIMER.unpack_from(value)[0]

    def _save(self, state: UserState, armed: int, timers: TimerService) -> None:
        """One write. A timer earlier than needed is left to fire in vain: cheaper than moving it with each event."""
        due = self._engine.next_timer(state)
        if due is not None and (armed == _NO_TIMER or due < armed):
            timers.register_event_time_timer(due)
            armed = due
        if state.empty:
            self._state.clear()
        else:
            self._state.update(_TIMER.pack(armed) + self._codec.encode(state))
        self._telemetry.follow("engine", self._engine.counters)
        if self._engine.script.failures:
            self._telemetry.follow("javascript", {"failed": self._engine.script.failures})
