"""The worker: everything of one channel that is in hand at the same time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from kairos.adapters.delivery.mailbox import Mailbox, Parcel
from kairos.adapters.metrics.declared import LETTERS
from kairos.adapters.output.dead_letters import BROKEN, MALFORMED
from kairos.apps.delivery.failpoint import reach
from kairos.apps.delivery.fence import FENCED
from kairos.apps.delivery.finishing import finish
from kairos.apps.delivery.outcome import MOST_TEXT
from kairos.apps.delivery.pace.turns import Turns
from kairos.apps.delivery.pace.wake import Wake
from kairos.apps.delivery.recalling import recall
from kairos.apps.delivery.records import MalformedError, key_of, letter, read
from kairos.apps.delivery.sending import Sending
from kairos.apps.delivery.tools import Tools
from kairos.apps.logs import traced
from kairos.engine.effect import Delivery, Recall

log = logging.getLogger(__name__)


class Worker:
    def __init__(self, tools: Tools, mailbox: Mailbox) -> None:
        self._tools, self._mailbox = tools, mailbox
        self._turns = Turns()
        self._wakes: dict[Wake, Parcel] = {}
        self._by_key: dict[str, list[Wake]] = {}
        self._recalls: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_hand(self) -> int:
        return len(self._tasks)

    async def run(self) -> None:
        """Works until the mailbox has no more, and everything in hand has ended."""
        while parcels := await self._mailbox.take():
            for parcel in parcels:
                task = asyncio.create_task(self._handle(parcel))
                self._tasks.add(task)
                task.add_done_callback(self._ended)
        while self._tasks:
            await asyncio.wait(self._tasks)

    def give_back(self, partitions: set[tuple[str, int]] | None = None) -> None:
        """Lets go what is not under way, of these partitions or of all; what is under way comes to its end."""
        for wake, parcel in list(self._wakes.items()):
            if partitions is None or (parcel.topic, parcel.partition) in partitions:
                wake.give_back()

    async def abandon(self) -> int:
        """Ends everything at once, and returns how much was under way. What the ledger has as reserved is judged by
        others."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a record could not even be put aside", self._tools.channel, exc_info=error)

    async def _handle(self, parcel: Parcel) -> None:
        """Handles a record. Whatever is wrong with it, the next one has its turn: what cannot be done is a dead
        letter."""
        try:
            note = read(parcel, self._tools.channel)
        except MalformedError as error:
            await self._put_aside(parcel, MALFORMED, str(error))
            return
        if isinstance(note, Delivery) and (why := self._tools.fence.refusal(note)) is not None:
            await self._put_aside(parcel, FENCED, why)
            return
        try:
            await self._do(note, parcel)
        except Exception as error:
            log.exception("%s: a mistake of ours; %s is put aside", self._tools.channel, parcel.origin)
            await self._put_aside(parcel, BROKEN, f"{type(error).__name__}: {error}"[:MOST_TEXT])

    async def _put_aside(self, parcel: Parcel, reason: str, message: str) -> None:
        self._tools.metrics.add(LETTERS, channel=self._tools.channel, reason=reason)
        try:
            await self._tools.posts.do(letter(parcel, self._tools.channel, reason, message))
        finally:
            self._mailbox.done(parcel)  # also where Kafka refuses the letter: it would refuse it for ever

    async def _do(self, note: Delivery | Recall, parcel: Parcel) -> None:
        """Does all that a record asks for; only then the mailbox hears that it is done."""
        key = key_of(note)
        wake = Wake()
        self._wakes[wake] = parcel
        try:
            with traced(key):
                complete = await (
                    self._recall(note, key, wake) if isinstance(note, Recall) else self._send(note, key, wake, parcel)
                )
        finally:
            del self._wakes[wake]
        if complete:
            reach("before_commit")
            self._mailbox.done(parcel)

    async def _send(self, delivery: Delivery, key: str, wake: Wake, parcel: Parcel) -> bool:
        self._by_key.setdefault(key, []).append(wake)
        wake.recalled = self._recalls[key] > 0
        received = self._tools.clock.now()
        try:
            async with self._turns.of(key):
                sending = Sending(self._tools, delivery, key, wake)
                row = await sending.run()
                if row is not None:
                    reach("after_settle")
                    await finish(self._tools, row, delivery, parcel, repeated=sending.repeated)
                    self._tools.traces.ended(delivery, key, received, self._tools.clock.now(), row.state)
                return row is not None
        finally:
            self._by_key[key].remove(wake)
            if not self._by_key[key]:
                del self._by_key[key]

    async def _recall(self, note: Recall, key: str, wake: Wake) -> bool:
        self._recalls[key] += 1
        if self._tools.clock_of is None:  # else the delivery has its own, earlier time
            for waiting in self._by_key.get(key, ()):
                waiting.recall()
        try:
            async with self._turns.of(key):
                if wake.given_back:
                    return False
                await recall(self._tools, note, key)
                return True
        finally:
            self._recalls[key] -= 1
            if not self._recalls[key]:
                del self._recalls[key]
