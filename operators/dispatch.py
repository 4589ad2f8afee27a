"""Spends budgets: candidates of one activity in, decisions and deliveries out, in the order of event time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimerService
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate
from kairos.engine.event import RECEIPT
from kairos.engine.gate.budget import Budget, dispatch, refund
from operators.rows import DECISIONS, RECEIPTS, Request, deliveries, output
from operators.telemetry import Telemetry

DAY = 86_400_000
REMEMBERED = 30 * DAY
"""How long (ms) a refused occurrence is known: no fallback comes later than this after it."""


class Dispatch(KeyedProcessFunction):
    """Candidates and refunds wait until the watermark has reached their `at`: only then all that compete are here."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self._refused = runtime_context.get_map_state(MapStateDescriptor("refused", Types.STRING(), Types.LONG()))
        self._waiting = runtime_context.get_list_state(ListStateDescriptor("waiting", Types.PICKLED_BYTE_ARRAY()))
        self._budget = runtime_context.get_state(ValueStateDescriptor("budget", Types.PICKLED_BYTE_ARRAY()))
        self._decode = msgspec.msgpack.Decoder(Request).decode
        self._decode_budget = msgspec.msgpack.Decoder(Budget).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._json = msgspec.json.Encoder().encode
        self._telemetry = Telemetry(runtime_context)

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
            if request.candidate is None:
                self._take_back(budget, request)
            else:
                yield from self._decide(budget, request.candidate, ctx.timer_service())
        self._budget.update(self._encode(budget))

    def _take_back(self, budget: Budget, request: Request) -> None:
        """A refused send has spent nothing, whatever evaluate made of it before it heard of that."""
        if not self._refused.contains(request.occurrence):
            refund(budget)

    def _decide(self, budget: Budget, candidate: Candidate, timers: TimerService) -> Iterator[Row]:
        if candidate.delivery.attempt > 1 and self._refused.contains(candidate.record.occurrence):
            return  # a fallback of a send that never was: evaluate had not heard of the refusal yet
        record, delivery = dispatch(budget, candidate)
        self._telemetry.count("outcomes", record.outcome)
        yield output(DECISIONS, record.user_id, self._json(record), record.at)
        if delivery is not None:
            yield output(deliveries(delivery.channel), delivery.user_id, self._json(delivery), delivery.at)
            return
        self._refused.put(record.occurrence, record.at)
        timers.register_event_time_timer((record.at + REMEMBERED) // DAY * DAY + DAY)
        yield output(RECEIPTS, record.user_id, self._json(_released(record)), record.at)

    def _forget(self, timestamp: int) -> None:
        """Refusals so old that no fallback of theirs can come any more."""
        for occurrence, at in list(self._refused.items()):
            if at + REMEMBERED < timestamp:
                self._refused.remove(occurrence)


def _released(record: Record) -> dict[str, Any]:
    """Tells evaluate that this send will not be. The engine frees what it had reserved REFUSAL_KNOWN_AFTER later."""
    props = {"activity": record.activity, "occurrence": record.occurrence, "status": "released"}
    return {"type": RECEIPT, "user_id": record.user_id, "time": record.at, "props": props}
