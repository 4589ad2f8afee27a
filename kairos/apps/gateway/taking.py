"""A request becomes events in Kafka: signature, rate, intake. The same for HTTP and for gRPC."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kairos.adapters.kafka.producer import EventProducer
from kairos.adapters.metrics.declared import SHED
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.sources.seen import Seen, SeenAwayError
from kairos.apps.gateway.auth import check_signature
from kairos.apps.gateway.body import Room
from kairos.apps.gateway.problem import Problem, check_count
from kairos.usecases.intake.batch import Item, Outcome
from kairos.usecases.intake.intake import Intake, UnavailableError
from kairos.usecases.intake.registry import Door, Registry
from kairos.usecases.intake.shedding import Shedding
from kairos.usecases.intake.turns import Turns

RETRY_SECONDS = 1

log = logging.getLogger(__name__)


class Parts(NamedTuple):
    """What the gateway is made of. `clock`: epoch ms. `ticks`: ms of a clock that is never set, for rates and for how
    long something takes. `max_body`: bytes of one request. `keyless`: the room for bodies that have the key inside."""

    registry: Registry
    intake: Intake
    producer: EventProducer
    seen: Seen
    metrics: Metrics
    room: Room
    keyless: Room
    clock: Callable[[], int]
    ticks: Callable[[], int]
    max_body: int
    shedding: Shedding
    turns: Turns


def check_rate(parts: Parts, door: Door) -> None:
    """Before a body is read: a source over its rate, over its share while all is slow, or of which enough is waiting
    costs no reading, so that its flood holds up no other.

    Raises Problem.
    """
    _admit(parts, door, 0)
    if parts.turns.full(door.name):
        raise _shed(parts, door)


def _admit(parts: Parts, door: Door, events: int) -> None:
    """What is refused counts nowhere. Raises Problem."""
    now, rate = parts.ticks(), door.entry.access.rate
    if seconds := door.bucket.wait(rate, now):
        raise Problem(429, "too_fast", f"the source may send {rate:g} events a second", seconds)
    if not parts.shedding.lets(door, now, events):
        raise _shed(parts, door)
    door.bucket.take(events, rate, now)


def _shed(parts: Parts, door: Door) -> Problem:
    parts.metrics.add(SHED, source=door.name)
    what = "the gateway or Kafka is slow, and this source has had its share; send it again"
    return Problem(503, "shed", what, RETRY_SECONDS)


async def take(
    parts: Parts, headers: Mapping[str, str], door: Door, sent: bytes, read: Callable[[], list[Item]]
) -> list[Outcome]:
    """One outcome an event, once Kafka has them. `sent`: the body as it came.

    Raises Problem; a signed request that came to nothing may then be sent again.
    """
    begun = parts.ticks()
    token = await check_signature(headers, door, sent, parts.clock(), parts.seen)
    try:
        await parts.turns.next(door.name)
        items = _read(read)
        check_count(len(items))
        _admit(parts, door, len(items))
        with parts.shedding.working(len(items), begun, parts.ticks):
            return await parts.intake.take(door, items)
    except BaseException as error:
        await _forget(parts.seen, token)
        if isinstance(error, UnavailableError):
            raise Problem(503, "unavailable", f"{error}; send it again", RETRY_SECONDS) from None
        raise


def _read(read: Callable[[], list[Item]]) -> list[Item]:
    """Raises Problem, whatever it comes upon."""
    try:
        return read()
    except Problem:
        raise
    except Exception as error:  # whatever somebody sends is no fault of ours
        log.exception("a request cannot be read")
        raise Problem(400, "unreadable", f"this cannot be read: {type(error).__name__}") from None


async def _forget(seen: Seen, token: str | None) -> None:
    if token is not None:
        with suppress(SeenAwayError):  # then it is refused for some minutes, unless it is signed anew
            await seen.release(token)
