"""Events of one source into Kafka: normalised, given their user, published in order, or refused with a reason."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kairos.adapters.kafka.producer import EventProducer, NotTakenError, Record
from kairos.adapters.metrics.declared import ACCESS_EVENTS, ACCESS_REFUSED
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.identity import Identity, IdentityAwayError
from kairos.engine.dead_letter import Reading, dead_letter
from kairos.engine.source.normalise import Draft, Refusal, to_wait
from kairos.engine.topics import DEAD_LETTERS
from kairos.errors import KairosError
from kairos.usecases.intake.batch import NO_ROOM, WAITING, Batch, Item, Outcome
from kairos.usecases.intake.registry import Door
from kairos.usecases.intake.secret_free import secret_free, secret_free_fields

Published = Callable[[Sequence[Record], int], None]
"""Hears of events that Kafka has, and when they came (epoch ms)."""

LETTER_BYTES = 100_000
"""How much of a refused event its dead letter keeps."""
SHORT_LETTER_BYTES = 1_000
"""The same, where Kafka does not take that much."""

log = logging.getLogger(__name__)


class UnavailableError(KairosError):
    """Kafka or Redis does not answer: nothing is promised, and the same again later is right."""


class Intake:
    """`identity` None: none is configured, so events that need one cannot be taken. `clock`: epoch ms. `name`: of
    the process, for dead letters; their topic begins with `prefix`. `published`: what else is done with each event."""

    def __init__(
        self,
        producer: EventProducer,
        identity: Identity | None,
        metrics: Metrics,
        clock: Callable[[], int],
        name: str = "gateway",
        prefix: str = "",
        published: Published | None = None,
    ) -> None:
        self._producer = producer
        self._identity = identity
        self._metrics = metrics
        self._clock = clock
        self._name = name
        self._letters = prefix + DEAD_LETTERS
        self._published = published
        self._following = 0
        """When the next event counts as come, epoch microseconds: no two of this process at once."""

    async def take(self, door: Door, items: Sequence[Item], *, again: bool = False) -> list[Outcome]:
        """One outcome an item, once all that was accepted or refused is in Kafka. `again`: they are of dead letters and
        need no second one. Raises UnavailableError."""
        now = self._clock()
        first = max(self._following, now * 1000)
        self._following = first + len(items)
        batch = Batch(door, items, now, first)
        try:
            batch.resolve(await self._known().users(batch.claims) if batch.claims else {})
            for binding in batch.bindings:
                async for piece in self._known().waiting(binding.claims, binding.event.user_id):
                    if batch.full:
                        await self._publish_told(batch, again)
                    batch.merge(piece, binding)
            await self._publish(batch, again)
            if batch.waiting or batch.bindings:
                await self._settle(batch, again)
        except (NotTakenError, IdentityAwayError) as error:
            raise UnavailableError(str(error)) from None
        self._count(door.name, batch)
        return batch.outcomes

    async def _settle(self, batch: Batch, again: bool) -> None:
        """Writes bindings and waiting drafts to Redis, once the batch is in Kafka.

        A batch that fails before that leaves no trace, and can be sent again. What came from elsewhere in between is
        published now.
        """
        known = self._known()
        waiting = [place for places in batch.waiting.values() for place in places]
        users = await known.wait([(draft.claims, to_wait(draft)) for _, draft in waiting])
        for (n, draft), (user, dropped) in zip(waiting, users, strict=True):
            if user is None:
                batch.outcomes[n] = WAITING
            else:
                batch.send(n, draft, user)
            batch.drop(dropped)
        for binding in batch.bindings:
            await known.bind(binding.claims, binding.event.user_id)
        await self._publish(batch, again)
        for binding in batch.bindings:
            await self._merge(batch, binding, again)

    async def _merge(self, batch: Batch, binding: Draft, again: bool) -> None:
        """Publishes piece by piece what had waited: a piece that is published is not asked for again, whatever happens
        to the rest."""
        known, user = self._known(), binding.event.user_id
        while piece := await known.merging(user):
            batch.merge(piece, binding)
            await self._publish(batch, again)
            await known.merged(user, piece)

    async def _publish_told(self, batch: Batch, again: bool) -> None:
        """Publishes what had waited, ahead of the batch itself."""
        records, batch.records = batch.records, []
        await self._publish(batch, again)
        batch.records = records

    async def _publish(self, batch: Batch, again: bool) -> None:
        """Publishes records. An event that Kafka never takes is refused; its dead letter, if too large, is shortened
        and sent once more."""
        events = [*batch.told, *batch.records]
        letters = [refusal for refusal in batch.refused if not (again and refusal[0] in batch.items)]
        batch.told, batch.records, batch.refused = [], [], []
        written = [self._letter(batch, *refusal, LETTER_BYTES) for refusal in letters]
        never = await self._producer.publish([*(event.record for event in events), *written])
        if self._published is not None:
            self._published([event.record for place, event in enumerate(events) if place not in never], batch.now)
        for place in sorted(never):
            if place < len(events):
                batch.refuse_sent(events[place], never[place])
        shorter = [letters[place - len(events)] for place in sorted(never) if place >= len(events)]
        shorter += batch.refused
        batch.refused = []
        if shorter:
            lost = await self._producer.publish([self._letter(batch, *each, SHORT_LETTER_BYTES) for each in shorter])
            for why in lost.values():
                log.error("a dead letter of source '%s' is lost, because Kafka refuses it: %s", batch.door.name, why)

    def _known(self) -> Identity:
        if self._identity is None:
            raise IdentityAwayError("the source looks users up, and no Redis is configured for that")
        return self._identity

    def _letter(self, batch: Batch, item: Item, why: Refusal, limit: int) -> Record:
        origin = f"{self._name}/{batch.door.name}"
        fields, read = _to_read_again(item)
        kept = None if fields is None else secret_free_fields(fields)
        raw = secret_free(item.raw)
        letter = dead_letter(why.reason, why.message, origin, batch.now, None, raw, limit, kept, read)
        return Record(self._letters, None, letter, batch.now)

    def _count(self, source: str, batch: Batch) -> None:
        outcomes: Counter[str] = Counter(outcome.status for outcome in batch.outcomes)
        outcomes["merged"] += batch.merged
        reasons = Counter(outcome.reason for outcome in batch.outcomes if outcome.reason is not None)
        reasons[NO_ROOM] += batch.dropped
        for outcome, count in (+outcomes).items():
            self._metrics.add(ACCESS_EVENTS, count, source=source, outcome=outcome)
        for reason, count in (+reasons).items():
            self._metrics.add(ACCESS_REFUSED, count, source=source, reason=reason)


def _to_read_again(item: Item) -> tuple[Mapping[str, Any] | None, Reading]:
    """What the item's dead letter keeps beside its bytes, so that they can be normalised once more."""
    if item.document is None:
        return item.beside, "value"
    if isinstance(item.document, Refusal):
        return None, "nothing"
    return item.document, "mapped" if item.mapped else "fields"
