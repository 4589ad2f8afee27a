"""One call's items on their way: each becomes a draft, a record of its user, a wait or a refusal."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import msgspec

from kairos.adapters.kafka.producer import Record
from kairos.adapters.profiles.identity import PIECE_BYTES
from kairos.engine.dead_letter import MOST_SAID, cut
from kairos.engine.source.normalise import Claim, Draft, Refusal, after_waiting, as_arrived, envelope
from kairos.engine.topics import events_topic
from kairos.usecases.intake.registry import Door

log = logging.getLogger(__name__)


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


NO_ROOM = "no_room"
ACCEPTED, WAITING, BOUND = Outcome("accepted"), Outcome("waiting"), Outcome("bound")


class Sent(NamedTuple):
    """An event on its way. `n`: its place in the batch; None: it had waited."""

    record: Record
    item: Item
    n: int | None


class Batch:
    """What becomes of the items of one call. `first`: when the first came, epoch microseconds. Still to be published:
    `told` (it had waited), `records`, `refused`."""

    def __init__(self, door: Door, items: Sequence[Item], now: int, first: int) -> None:
        self.door, self.items, self.now = door, items, now
        self.outcomes: list[Outcome] = [ACCEPTED] * len(items)
        self.refused: list[tuple[Item, Refusal]] = []
        self.records: list[Sent] = []
        self.told: list[Sent] = []
        self.waiting: dict[Claim, list[tuple[int, Draft]]] = defaultdict(list)
        """first claim -> places of nobody yet"""
        self.bindings: list[Draft] = []
        self.merged, self.dropped = 0, 0
        """How many had waited before this call: told now, or not kept any longer."""
        self._told: set[bytes] = set()
        """hashes of them: they may be large"""
        read = [(n, draft) for n in range(len(items)) if (draft := self._draft(n)) is not None]
        arrived = as_arrived([draft for _, draft in read], now, first)
        self._drafts = [(n, draft) for (n, _), draft in zip(read, arrived, strict=True)]

    @property
    def full(self) -> bool:
        return sum(len(sent.record.value) for sent in self.told) > PIECE_BYTES

    @property
    def claims(self) -> set[Claim]:
        """Those whose users decide about an event."""
        strangers = (draft for _, draft in self._drafts if not draft.event.user_id)
        return {claim for draft in strangers for claim in draft.claims}

    def resolve(self, users: Mapping[Claim, str]) -> None:
        """Gives the items their users, in order: a binding holds from its place on, and frees what had waited for
        it."""
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
        try:
            found = self._read(self.items[n])
        except Exception as error:  # nothing that somebody sends may hold up what comes after it
            log.exception("an event of source '%s' cannot be read", self.door.name)
            found = Refusal("unreadable", f"it cannot be read: {type(error).__name__}")
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
            record = Record(self.door.topic, user.encode(), value, draft.event.time)
            self.records.append(Sent(record, self.items[n], n))

    def merge(self, waited: Sequence[bytes], binding: Draft) -> None:
        """Adds drafts that had waited, each once, to the first binding that finds them."""
        for kept in waited:
            if (hash_ := blake2b(kept, digest_size=16).digest()) not in self._told:
                self._told.add(hash_)
                self.merged += 1
                self._merge(kept, binding.event.user_id)

    def drop(self, waited: Sequence[bytes]) -> None:
        """Refuses drafts that have no room to wait any more, the oldest."""
        self.dropped += len(waited)
        why = Refusal(NO_ROOM, "too much waited until somebody would say whose it is: the newest events are kept")
        self.refused += ((Item(kept, why), why) for kept in waited)

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
            record = Record(events_topic(draft.event.source), user.encode(), value, draft.event.time)
            self.told.append(Sent(record, Item(kept, Refusal("waited", "it had waited")), None))

    def refuse_sent(self, sent: Sent, why: str) -> None:
        """Refuses an event that Kafka never takes."""
        refusal = Refusal("not_storable", f"Kafka refuses it: {why}")
        if sent.n is None:
            self.refused.append((sent.item, refusal))
        else:
            self._refuse(sent.n, refusal)

    def _refuse(self, n: int, why: Refusal) -> None:
        self.refused.append((self.items[n], why))
        self.outcomes[n] = Outcome("refused", why.reason, cut(why.message, MOST_SAID))
