"""What leaves evaluate: effects and dead letters, as rows for their topics."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec
from pyflink.common import Row

from kairos.engine.dead_letter import MOST_KEY, cut, dead_letter
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Effect, Late, Recall, Refund
from kairos.engine.event import RECEIPT
from kairos.engine.gate.budget import Settled, budget_of, competes, request_of
from kairos.engine.loss import REASON, Loss
from kairos.engine.record_size import MOST_BYTES, encode_record
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, RECEIPTS, deliveries_topic
from kairos.engine.trace import trace_of_decision
from operators.rows import REQUESTS, output
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)


class Handled(msgspec.Struct, frozen=True):
    """The record that is being handled; a timer has none."""

    key: str | None
    value: bytes | None
    timestamp: int
    origin: str


class Outlet:
    """`limit`: bytes of a value that a dead letter keeps. `fence`: what every delivery carries."""

    def __init__(self, telemetry: Telemetry, limit: int, fence: str = "") -> None:
        self._telemetry = telemetry
        self._limit = limit
        self._fence = fence
        self._json = msgspec.json.Encoder().encode
        self._msgpack = msgspec.msgpack.Encoder().encode

    def rows(self, effects: Iterable[Effect], source: Handled | None) -> list[Row]:
        rows: list[Row] = []
        for effect in effects:
            if isinstance(effect, Record):
                rows.append(self.decision(effect))
            elif isinstance(effect, Delivery):
                rows += self.delivery(effect)
            elif isinstance(effect, Candidate) and not competes(effect):
                rows += self.sent(effect)
            else:
                rows.append(self._row(effect, source))
        return rows

    def sent(self, candidate: Candidate) -> list[Row]:
        """A candidate that competes with no other has nothing to wait for.

        After quiet hours there may be a million of them at one instant: no state, and no way to another task.
        """
        try:
            return self.settled(Settled(candidate.record, None if candidate.record.shadow else candidate.delivery))
        except Exception as error:
            return [self.unwritten(candidate, error)]

    def settled(self, settled: Settled) -> list[Row]:
        """The decision, and what is to be delivered."""
        record, delivery = settled
        rows = [self.decision(record)]
        if delivery is not None:
            delivery.fence, delivery.trace = self._fence, trace_of_decision(record)
            rows += self.delivery(delivery)
        if not record.shadow:
            self._telemetry.count("outcomes", record.outcome)
        return rows

    def unwritten(self, candidate: Candidate, error: Exception) -> Row:
        """A candidate that cannot be written out is a dead letter; those beside it go on."""
        self._telemetry.count("engine", "failed")
        record, attempt = candidate.record, candidate.delivery.attempt
        log.error("a decision of %s was not written: %s", record.activity, type(error).__name__)
        what = f"{record.activity} {record.occurrence}, attempt {attempt}".encode()
        source = Handled(record.user_id, what, record.at, "dispatch")
        return self.dead("engine_error", f"{type(error).__name__}: {error}", source)

    def decision(self, record: Record) -> Row:
        return output(DECISIONS, record.user_id, encode_record(record), record.at)

    def delivery(self, delivery: Delivery) -> list[Row]:
        """A message that is too large to be handed over has failed, and half of it is not sent: a dead letter, and the
        receipt of a worker that has refused it."""
        value = self._json(delivery)
        if len(value) <= MOST_BYTES:
            return [output(deliveries_topic(delivery.channel), delivery.user_id, value, delivery.at)]
        largest = max(delivery.values, key=lambda name: len(self._json(delivery.values[name])), default="")
        message = f"the message has {len(value):,} bytes, most of them in `{largest}`; at most {MOST_BYTES:,} are sent"
        source = Handled(delivery.user_id, value, delivery.at, deliveries_topic(delivery.channel))
        return [self.dead("too_large", message, source), failed(delivery)]

    def _row(self, effect: Candidate | Refund | Recall | Late, source: Handled | None) -> Row:
        if isinstance(effect, Candidate | Refund):
            request = request_of(effect)
            return output(REQUESTS, budget_of(effect), self._msgpack(request), request.at)
        if isinstance(effect, Recall):
            return output(deliveries_topic(effect.channel), effect.user_id, self._json({"recall": effect}), effect.at)
        return self._late(effect, source)

    def dead(self, reason: str, message: str, source: Handled) -> Row:
        self._telemetry.count("dead_letters", reason)
        value = source.value or b""
        letter = dead_letter(reason, message, source.origin, source.timestamp, source.key, value, self._limit)
        key = None if source.key is None else cut(source.key, MOST_KEY)
        return output(DEAD_LETTERS, key, letter, source.timestamp)

    def lost(self, loss: Loss, now: int) -> Row:
        """The dead letter of records that Kafka deleted unread. `now`: epoch ms."""
        self._telemetry.count("dead_letters", REASON)
        return output(DEAD_LETTERS, None, loss.letter(now), now)

    def _late(self, late: Late, source: Handled | None) -> Row:
        assert source is not None, "only the event just read can be late"
        return self.dead("late", f"this user's events are applied up to {late.applied_until} already", source)


def failed(delivery: Delivery) -> Row:
    """The receipt of an attempt that comes to nothing before any worker has seen it."""
    props = {name: getattr(delivery, name) for name in ("activity", "occurrence", "attempt", "channel")}
    receipt = {"type": RECEIPT, "user_id": delivery.user_id, "time": delivery.at}
    value = msgspec.json.encode({**receipt, "props": {**props, "status": "failed", "reason": "too_large"}})
    return output(RECEIPTS, delivery.user_id, value, delivery.at)
