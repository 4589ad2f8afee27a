"""A request becomes events in Kafka: signature, rate, intake. The same for HTTP and for gRPC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kairos.adapters.event_producer import EventProducer
from kairos.adapters.sources_seen import Seen, SeenAwayError
from kairos.apps.access.counters import Counters
from kairos.apps.access.intake import Intake, Item, Outcome, UnavailableError
from kairos.apps.access.registry import Door, Registry
from kairos.apps.gateway.auth import check_signature
from kairos.apps.gateway.body import Room
from kairos.apps.gateway.problem import Problem, check_count

RETRY_SECONDS = 1


class Parts(NamedTuple):
    """What the gateway is made of. `clock`: epoch ms. `max_body`: bytes of one request."""

    registry: Registry
    intake: Intake
    producer: EventProducer
    seen: Seen
    counters: Counters
    room: Room
    clock: Callable[[], int]
    max_body: int


async def take(
    parts: Parts, headers: Mapping[str, str], door: Door, sent: bytes, read: Callable[[], list[Item]]
) -> list[Outcome]:
    """One outcome an event, once Kafka has them. `sent`: the body as it came.

    Raises Problem; a signed request that came to nothing may then be sent again.
    """
    token = await check_signature(headers, door, sent, parts.clock(), parts.seen)
    try:
        items = read()
        _admit(parts, door, len(items))
        return await parts.intake.take(door, items)
    except BaseException as error:
        await _forget(parts.seen, token)
        if isinstance(error, UnavailableError):
            raise Problem(503, "unavailable", f"{error}; send it again", RETRY_SECONDS) from None
        raise


def _admit(parts: Parts, door: Door, events: int) -> None:
    check_count(events)
    rate = door.entry.access.rate
    seconds = door.bucket.take(events, rate, parts.clock())
    if seconds:
        raise Problem(429, "too_fast", f"the source may send {rate:g} events a second", seconds)


async def _forget(seen: Seen, token: str | None) -> None:
    if token is not None:
        with suppress(SeenAwayError):  # then it is refused for some minutes, unless it is signed anew
            await seen.release(token)
