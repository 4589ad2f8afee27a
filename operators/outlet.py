"""What leaves evaluate: effects and dead letters, as rows for their topics."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from pyflink.common import Row

from kairos.engine.dead_letter import dead_letter
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery, Effect, Late, Recall, Refund
from operators.rows import DEAD_LETTERS, DECISIONS, REQUESTS, Request, deliveries, output
from operators.telemetry import Telemetry


class Source(msgspec.Struct, frozen=True):
    """The record that is being handled; a timer has none."""

    key: str | None
    value: bytes
    timestamp: int
    origin: str


class Outlet:
    """`limit`: bytes of a value that a dead letter keeps."""

    def __init__(self, telemetry: Telemetry, limit: int) -> None:
        self._telemetry = telemetry
        self._limit = limit
        self._json = msgspec.json.Encoder().encode
        self._msgpack = msgspec.msgpack.Encoder().encode

    def rows(self, effects: Iterable[Effect | Delivery], source: Source | None) -> list[Row]:
        return [self._row(effect, source) for effect in effects]

    def _row(self, effect: Effect | Delivery, source: Source | None) -> Row:
        if isinstance(effect, Record):
            return output(DECISIONS, effect.user_id, self._json(effect), effect.at)
        if isinstance(effect, Delivery):
            return output(deliveries(effect.channel), effect.user_id, self._json(effect), effect.at)
        if isinstance(effect, Candidate):
            record = effect.record
            return self._request(record.activity, Request(record.at, record.user_id, record.occurrence, effect))
        if isinstance(effect, Refund):
            return self._request(effect.activity, Request(effect.at, effect.user_id, effect.occurrence, None))
        if isinstance(effect, Recall):
            return output(deliveries(effect.channel), effect.user_id, self._json({"recall": effect}), effect.at)
        return self._late(effect, source)

    def dead(self, reason: str, message: str, source: Source) -> Row:
        self._telemetry.count("dead_letters", reason)
        letter = dead_letter(reason, message, source.origin, source.timestamp, source.key, source.value, self._limit)
        return output(DEAD_LETTERS, source.key, letter, source.timestamp)

    def _request(self, activity: str, request: Request) -> Row:
        return output(REQUESTS, activity, self._msgpack(request), request.at)

    def _late(self, late: Late, source: Source | None) -> Row:
        assert source is not None, "only the event just read can be late"
        return self.dead("late", f"this user's events are applied up to {late.applied_until} already", source)
