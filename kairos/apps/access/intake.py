"""Events of one source into Kafka: normalised, given their user, published in order, or refused with a reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from kairos.adapters.event_producer import EventProducer, NotTakenError, Record
from kairos.adapters.identity import Identity, IdentityAwayError
from kairos.adapters.sources import topic_of
from kairos.apps.access.counters import Counters
from kairos.apps.access.registry import Door
from kairos.engine.dead_letter import Reading, dead_letter
from kairos.engine.normalise import Claim, Draft, Refusal, after_waiting, envelope, to_wait

LETTER_BYTES = 100_000
"""How much of a refused event its dead letter keeps."""
DEAD_LETTERS = "dead-letters"
EVENTS_TOTAL = "kairos_access_events_total"
REFUSED_TOTAL = "kairos_access_refused_total"
HELPS = {
    EVENTS_TOTAL: "Events by source and outcome: accepted, waiting, bound, refused, merged.",
    REFUSED_TOTAL: "Refused events by source and reason.",
}


class Item(NamedTuple):
    """An event as it came. `document`: what a translator made of it, None: it is the source's own JSON. `mapped`: the
    document is in the source's own format, which its `map` is for. `beside`: envelope fields that came outside of the
    source's own JSON."""

    raw: bytes
    document: Mapping[str, Any] | Refusal | None = None
    mapped: bool = False
    beside: Mapping[str, Any] | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """`waiting`: for somebody to say whose it is. `bound`: it said so, and is not an event itself."""

    status: Literal["accepted", "waiting", "bound", "refused"]
    reason: str | None = None
    message: str | None = None


class UnavailableError(Exception):
    """Kafka or Redis does not answer: nothing is promised, and the same again later is right."""


ACCEPTED, WAITING, BOUND = Outcome("accepted"), Outcome("waiting"), Outcome("bound")


class Intake:
    """`identity` None: none is configured, so events that need one cannot be taken. `clock`: epoch ms. `name`: of
    the process, for dead letters; their topic begins with `prefix`."""

    def __init__(
        self,
        producer: EventProducer,
        identity: Identity | None,
        counters: Counters,
        clock: Callable[[], int],
        name: str = "gateway",
        prefix: str = "",
    ) -> None:
        self._producer = producer
        self._identity = identity
        self._counters = counters
        self._clock = clock
        self._name = name
        self._letters = prefix + DEAD_LETTERS

    async def take(self, door: Door, items: Sequence[Item], *, again: bool = False) -> list[Outcome]:
        """One outcome an item, once all that was accepted or refused is in Kafka. `again`: they are of dead letters and
        need no second one. Raises UnavailableError."""
        batch = _Batch(door, items, self._clock())
        try:
            batch.resolve(await self._known().users(batch.claims) if batch.claims else {})
            for binding in batch.bindings:
                batch.merge(await self._known().waiting(binding.claims, binding.event.user_id), binding)
            await self._publish(batch, again)
            if batch.waiting or batch.bindings:
                await self._settle(batch, again)
        except (NotTakenError, IdentityAwayError) as error:
            raise UnavailableError(str(error)) from None
        self._count(door.name, batch)
        return batch.outcomes

    async def _settle(self, batch: _Batch, again: bool) -> None:
        """Redis hears of the batch when Kafka has it: one that fails before leaves no trace, and means the same again.
        What came from elsewhere in between is published now."""
        known = self._known()
        waiting = [place for places in batch.waiting.values() for place in places]
        users = await known.wait([(draft.claims, to_wait(draft)) for _, draft in waiting])
        for (n, draft), user in zip(waiting, users, strict=True):
            if user is None:
                batch.outcomes[n] = WAITING
            else:
                batch.send(n, draft, user)
        for binding in batch.bindings:
            batch.merge(await known.bind(binding.claims, binding.event.user_id), binding)
        await self._publish(batch, again)
        for user, drafts in batch.merging.items():
            await known.merged(user, drafts)

    async def _publish(self, batch: _Batch, again: bool) -> None:
        letters = [self._letter(batch, item, why) for item, why in batch.refused if not (again and item in batch.items)]
        records = [*batch.told, *batch.records, *letters]
        batch.told, batch.records, batch.refused = [], [], []
        await self._producer.publish(records)

    def _known(self) -> Identity:
        if self._identity is None:
            raise IdentityAwayError("the source looks users up, and no Redis is configured for that")
        return self._identity

    def _letter(self, batch: _Batch, item: Item, why: Refusal) -> Record:
        origin = f"{self._name}/{batch.door.name}"
        fields, read = _to_read_again(item)
        letter = dead_letter(why.reason, why.message, origin, batch.now, None, item.raw, LETTER_BYTES, fields, read)
        return Record(self._letters, None, letter, batch.now)

    def _count(self, source: str, batch: _Batch) -> None:
        for outcome in batch.outcomes:
            self._counters.add(EVENTS_TOTAL, source=source, outcome=outcome.status)
            if outcome.reason is not None:
                self._counters.add(REFUSED_TOTAL, source=source, reason=outcome.reason)
        merged = sum(map(len, batch.merging.values()))
        if merged:
            self._counters.add(EVENTS_TOTAL, merged, source=source, outcome="merged")


class _Batch:
    """What becomes of the items of one call. Still to be published: `told` (it had waited), `records`, `refused`."""

    def __init__(self, door: Door, items: Sequence[Item], now: int) -> None:
        self.door, self.items, self.now = door, items, now
        self.outcomes: list[Outcome] = [ACCEPTED] * len(items)
        self.refused: list[tuple[Item, Refusal]] = []
        self.records: list[Record] = []
        self.told: list[Record] = []
        self.waiting: dict[Claim, list[tuple[int, Draft]]] = defaultdict(list)
        """first claim -> places of nobody yet"""
        self.bindings: list[Draft] = []
        self.merging: dict[str, list[bytes]] = defaultdict(list)
        """user -> what had waited before this call, and is now hers"""
        self._merged: set[bytes] = set()
        self._drafts = [(n, draft) for n in range(len(items)) if (draft := self._draft(n)) is not None]

    @property
    def claims(self) -> set[Claim]:
        """Those whose users decide about an event."""
        strangers = (draft for _, draft in self._drafts if not draft.event.user_id)
        return {claim for draft in strangers for claim in draft.claims}

    def resolve(self, users: Mapping[Claim, str]) -> None:
        """In order, because a binding holds from its place on, and tells afterwards what was nobody's before."""
        known = dict(users)
        for n, draft in self._drafts:
            if draft.binds:
                known.update(dict.fromkeys(draft.claims, draft.event.user_id))
                self._bind(n, draft)
            elif user := draft.event.user_id or next((known[c] for c in draft.claims if c in known), None):
                self.send(n, draft, user)
            else:
                self.waiting[draft.claims[0]].append((n, draft))

    def _bind(self, n: int, draft: Draft) -> None:
        user = draft.event.user_id
        for claim in draft.claims:
            for place, stranger in self.waiting.pop(claim, ()):
                self.send(place, stranger, user, merged=True)
        self.bindings.append(draft)
        if draft.published:
            self.send(n, draft, user)
        else:
            self.outcomes[n] = BOUND

    def _draft(self, n: int) -> Draft | None:
        """None: it is refused."""
        found = self._read(self.items[n])
        if isinstance(found, Refusal):
            self._refuse(n, found)
            return None
        return found

    def _read(self, item: Item) -> Draft | Refusal:
        limit = self.door.entry.access.max_bytes
        if len(item.raw) > limit:
            return Refusal("too_large", f"{len(item.raw)} bytes; at most {limit} are taken from this source")
        if isinstance(item.document, Refusal):
            return item.document
        if item.document is None:
            return self.door.normaliser.read(item.raw, self.now, item.beside)
        return self.door.normaliser.read_document(item.document, self.now, mapped=item.mapped)

    def send(self, n: int, draft: Draft, user: str, *, merged: bool = False) -> None:
        value = envelope(draft, user, merged=merged)
        if isinstance(value, Refusal):
            self._refuse(n, value)
        else:
            self.records.append(Record(self.door.topic, user.encode(), value, draft.event.time))

    def merge(self, waited: Sequence[bytes], binding: Draft) -> None:
        """Each once, however often it is found, and for the first binding that finds it."""
        user = binding.event.user_id
        for kept in waited:
            if kept not in self._merged:
                self._merged.add(kept)
                self.merging[user].append(kept)
                self._merge(kept, user)

    def _merge(self, kept: bytes, user: str) -> None:
        """What cannot be read any more, or has become too large with its user, ends as a dead letter."""
        try:
            draft = after_waiting(kept)
        except ValueError as error:
            why = Refusal("not_json", f"what waited for '{user}' is no event: {error}")
            self.refused.append((Item(kept, why), why))
            return
        value = envelope(draft, user, merged=True)
        if isinstance(value, Refusal):
            self.refused.append((Item(kept, value), value))
        else:
            self.told.append(Record(topic_of(draft.event.source), user.encode(), value, draft.event.time))

    def _refuse(self, n: int, why: Refusal) -> None:
        self.refused.append((self.items[n], why))
        self.outcomes[n] = Outcome("refused", why.reason, why.message)


def _to_read_again(item: Item) -> tuple[Mapping[str, Any] | None, Reading]:
    """What the item's dead letter keeps beside its bytes, so that they can be normalised once more."""
    if item.document is None:
        return item.beside, "value"
    if isinstance(item.document, Refusal):
        return None, "nothing"
    return item.document, "mapped" if item.mapped else "fields"
