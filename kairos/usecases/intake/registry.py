"""The sources as they are now: looked up in their store once a second, ready to be used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from kairos.adapters.sources.port import Entry, Snapshot, SourceStore, SourceStoreError
from kairos.engine.source.normalise import Normaliser
from kairos.engine.topics import events_topic
from kairos.usecases.intake.rate import Bucket

POLL_SECONDS = 1.0

log = logging.getLogger(__name__)


class Door:
    """A source, and what is needed to let its events in."""

    def __init__(self, entry: Entry, bucket: Bucket) -> None:
        self.entry = entry
        self.name = entry.source.name
        self.topic = events_topic(self.name)
        self.normaliser = Normaliser(entry.source)
        self.bucket = bucket


class Registry:
    """`make_topics` makes the missing ones of these names; it raises what it likes, and is asked again a second later.

    `clock`: ms, for the rates of sources; that of whoever takes from their buckets.
    """

    def __init__(
        self, store: SourceStore, make_topics: Callable[[list[str]], object], clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._make_topics = make_topics
        self._clock = clock
        self._doors: dict[str, Door] = {}
        self._by_key: dict[str, Door] = {}
        self._made: set[str] = set()
        self._told: tuple[str, ...] = ()
        self.ready = False
        """Whether the store has ever answered."""

    def named(self, source: str) -> Door | None:
        return self._doors.get(source)

    def of_key(self, hash_: str) -> Door | None:
        return self._by_key.get(hash_)

    async def refresh(self) -> None:
        """Looks once. A store that does not answer leaves all as it is."""
        try:
            snapshot = await asyncio.to_thread(self._store.read)
        except SourceStoreError as error:
            self._tell([str(error)])
            return
        self._adopt(snapshot)
        self._tell([*snapshot.problems, *await self._topics()])

    async def watch(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Looks at the store for ever, whatever a look raises: a gateway that no longer looks would never say so."""
        while True:
            await sleep(POLL_SECONDS)
            try:
                await self.refresh()
            except Exception as error:
                log.exception("the sources could not be looked up: %s", error)

    def _adopt(self, snapshot: Snapshot) -> None:
        doors = {}
        for name, entry in snapshot.entries.items():
            known = self._doors.get(name)
            if known is None or known.entry != entry:
                doors[name] = Door(entry, known.bucket if known else Bucket(self._clock()))
            else:
                doors[name] = known
        self._doors = doors
        self._by_key = {hash_: door for door in doors.values() for hash_ in door.entry.access.keys}
        self.ready = True

    async def _topics(self) -> list[str]:
        """Makes those that are missing; the problems with that."""
        missing = [door.topic for door in self._doors.values() if door.topic not in self._made]
        try:
            if missing:
                await asyncio.to_thread(self._make_topics, missing)
        except Exception as error:  # the broker is away, or refuses: it is tried again
            return [f"the topics {', '.join(missing)} could not be made: {error}"]
        self._made.update(missing)
        return []

    def _tell(self, problems: Iterable[str]) -> None:
        """Each problem once, for as long as it lasts."""
        now = tuple(problems)
        for problem in now:
            if problem not in self._told:
                log.error("%s", problem)
        self._told = now
