"""Spends budgets: candidates of one activity in, decisions and deliveries out, in the order of event time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor

from kairos.engine.coupon.pools import Coupons, Pools
from kairos.engine.decision import Record
from kairos.engine.event import RECEIPT
from kairos.engine.gate.budget import Budget, Request, settle
from kairos.engine.topics import RECEIPTS
from operators.outlet import Outlet
from operators.rows import output
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)


class OpenedCoupons(Coupons, Protocol):
    def close(self) -> None: ...


OpenCoupons = Callable[[Callable[[str], None]], OpenedCoupons]
"""Opened in each task; hears of what is counted."""

DAY = 86_400_000
WRITTEN = 3 * DAY
"""How long (ms) it is known that an address was written to in a run."""
REMEMBERED = 30 * DAY
"""How long (ms) a refused occurrence is known: no fallback comes later than this after it."""


class Written:
    """The addresses of a run, in state: `kairos.engine.gate.budget.Written`. `at`: event time of what is decided."""

    def __init__(self, runtime_context: RuntimeContext) -> None:
        self._state = runtime_context.get_map_state(MapStateDescriptor("written", Types.STRING(), Types.STRING()))
        self.at = 0

    def setdefault(self, key: str, user_id: str) -> str:
        known = self._state.get(key)
        if known is None:
            self._state.put(key, f"{self.at} {user_id}")
            return user_id
        return str(known).split(" ", 1)[1]

    def forget(self, now: int) -> None:
        """Forgets the addresses of runs that are over."""
        for key, value in list(self._state.items()):
            if int(value.split(" ", 1)[0]) + WRITTEN <= now:
                self._state.remove(key)


class Dispatch(KeyedProcessFunction):
    """Candidates that compete, and refunds, wait until the watermark has reached their `at`: only then all are here.

    `fence`: what every delivery carries. `open_coupons` None: there are no pools.
    """

    def __init__(self, dead_letter_bytes: int, fence: str = "", open_coupons: OpenCoupons | None = None) -> None:
        self._dead_letter_bytes, self._fence, self._open_coupons = dead_letter_bytes, fence, open_coupons

    def open(self, runtime_context: RuntimeContext) -> None:
        self._refused = runtime_context.get_map_state(MapStateDescriptor("refused", Types.STRING(), Types.LONG()))
        self._waiting = runtime_context.get_list_state(ListStateDescriptor("waiting", Types.PICKLED_BYTE_ARRAY()))
        self._budget = runtime_context.get_state(ValueStateDescriptor("budget", Types.PICKLED_BYTE_ARRAY()))
        self._written = Written(runtime_context)
        self._decode = msgspec.msgpack.Decoder(Request).decode
        self._decode_budget = msgspec.msgpack.Decoder(Budget).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._json = msgspec.json.Encoder().encode
        self._telemetry = Telemetry(runtime_context)
        self._outlet = Outlet(self._telemetry, self._dead_letter_bytes, self._fence)
        count = partial(self._telemetry.count, "coupons")
        self._opened = self._open_coupons(count) if self._open_coupons else None
        self._coupons: Coupons = self._opened or Pools({})

    def close(self) -> None:
        opened: OpenedCoupons | None = getattr(self, "_opened", None)  # it may not have been opened
        if opened is not None:
            opened.close()

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterable[Row]:
        request, at = value
        self._waiting.add(request)
        ctx.timer_service().register_event_time_timer(at)
        return ()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Takes everything that is due at once; the other timers of the same watermark then find nothing."""
        watermark = ctx.timer_service().current_watermark()
        due: list[Request] = []
        later: list[bytes] = []
        for value in self._waiting.get():
            request = self._decode(value)
            if request.at <= watermark:
                due.append(request)
            else:
                later.append(value)
        if not due:
            if timestamp % DAY == 0:
                self._forget(timestamp)
            return
        self._waiting.update(later)
        kept = self._budget.value()
        budget = Budget() if kept is None else self._decode_budget(kept)
        for request in sorted(due, key=lambda request: request.order):
            yield from self._decided(budget, request, ctx.timer_service())
        self._budget.update(self._encode(budget))

    def _decided(self, budget: Budget, request: Request, timers: TimerService) -> list[Row]:
        try:
            return list(self._decide(budget, request, timers))
        except Exception as error:
            if request.candidate is None:
                raise
            return [self._outlet.unwritten(request.candidate, error)]

    def _decide(self, budget: Budget, request: Request, timers: TimerService) -> Iterator[Row]:
        again = request.candidate is None or request.candidate.delivery.attempt > 1
        if again and self._refused.contains(request.occurrence):
            return  # of a send that never was, and has spent nothing: evaluate had not heard of the refusal yet
        if request.candidate is not None and request.candidate.run:
            self._written.at = request.at
            timers.register_event_time_timer((request.at + DAY) // DAY * DAY + WRITTEN)
        settled = settle(budget, self._written, self._coupons, request)
        if settled is None:
            return
        record = settled.record
        yield from self._outlet.settled(settled)
        if not settled.refused:
            return
        self._refused.put(request.occurrence, record.at)
        timers.register_event_time_timer((record.at + REMEMBERED) // DAY * DAY + DAY)
        yield output(RECEIPTS, record.user_id, self._json(_released(record)), record.at)

    def _forget(self, timestamp: int) -> None:
        """Forgets refusals so old that no fallback of theirs can come any more."""
        for occurrence, at in list(self._refused.items()):
            if at + REMEMBERED < timestamp:
                self._refused.remove(occurrence)
        self._written.forget(timestamp)


def _released(record: Record) -> dict[str, Any]:
    """The receipt by which evaluate hears that this send will not be. What it had reserved is free
    REFUSAL_KNOWN_AFTER later."""
    props: dict[str, Any] = {"activity": record.activity, "occurrence": record.occurrence, "status": "released"}
    if record.shadow:
        props["shadow"] = True
    return {"type": RECEIPT, "user_id": record.user_id, "time": record.at, "props": props}
