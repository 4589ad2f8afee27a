"""A worker with everything around it in memory. Times count in ms from BASE."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

import msgspec

from kairos.adapters.channels.channel import Accepted, Message, Outcome
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.delivery.policy import Policy
from kairos.adapters.post import Post
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.fence import Fence
from kairos.apps.delivery.pace.agreement import Agreement
from kairos.apps.delivery.pace.turnstile import Turnstile
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.worker import Worker
from kairos.engine.effect import Delivery, Recall
from kairos.engine.rule.content.rendering import ContentError
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.virtual_loop import LoopClock

BASE = 1_800_000_000_000
MINUTE, HOUR = 60_000, 3_600_000


def delivery(user: str = "u1", **more: Any) -> Delivery:
    """Times of `more` count from BASE."""
    times = {name: BASE + more.pop(name, default) for name, default in TIMES}
    fields = {"activity": "nudge", "version": "v1", "occurrence": "o1", "attempt": 1, "channel": "sms", **more}
    return Delivery(user_id=user, **{"template": "t", "address": f"to {user}", "values": {}, **times, **fields})


TIMES = (("at", 0), ("not_before", 0), ("send_before", HOUR))


def recall_of(note: Delivery, at: int = 0) -> Recall:
    return Recall(note.activity, note.user_id, note.occurrence, note.attempt, note.channel, BASE + at)


def parcels(notes: Iterable[Delivery | Recall | bytes], first: int = 0) -> list[Parcel]:
    made = []
    for offset, note in enumerate(notes, first):
        if isinstance(note, bytes):
            made.append(Parcel("deliveries.sms", 0, offset, None, note, BASE))
        else:
            body = {"recall": note} if isinstance(note, Recall) else note
            made.append(Parcel("deliveries.sms", 0, offset, note.user_id, msgspec.json.encode(body), BASE))
    return made


class ListMailbox:
    """Gives batches, each at its time; `left` is what nobody has called done yet."""

    def __init__(self, batches: Sequence[tuple[int, list[Parcel]]], hold_open: bool = False) -> None:
        self._batches = list(batches)
        self.left = [parcel for _, batch in batches for parcel in batch]
        self.closed = asyncio.Event()
        self._hold_open = hold_open
        self._began: float | None = None

    async def take(self) -> list[Parcel]:
        if not self._batches:
            if self._hold_open:
                await self.closed.wait()
            return []
        at, batch = self._batches.pop(0)
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        await asyncio.sleep(max(0, self._began + at / 1000 - now))
        return batch

    def done(self, parcel: Parcel) -> None:
        self.left.remove(parcel)


class Script:
    """A provider that answers as told; `calls`: (ms from BASE, message)."""

    def __init__(self, answer: Callable[[Message, int], Outcome] | Sequence[Outcome] = (), takes: int = 20) -> None:
        self._answer, self._takes = answer, takes
        self.clock = LoopClock(BASE)
        self.calls: list[tuple[int, Message]] = []
        self.inside = self.most_inside = 0

    async def send(self, message: Message) -> Outcome:
        self.calls.append((self.clock.now() - BASE, message))
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await self.clock.sleep(self._takes)
        self.inside -= 1
        if callable(self._answer):
            return self._answer(message, len(self.calls))
        return self._answer[len(self.calls) - 1] if len(self.calls) <= len(self._answer) else Accepted()

    async def close(self) -> None:
        pass


class Templates:
    """`broken`: how many messages fail before a refresh."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.after_refresh: dict[str, str] | None = None

    def message(self, note: Delivery, key: str) -> Message:
        if note.user_id in self.broken:
            raise ContentError(self.broken[note.user_id])
        parts = (note.activity, note.user_id, note.occurrence, note.attempt, note.channel)
        return Message(key, *parts, note.template, note.address, {}, "hi", note.values)

    async def refresh(self) -> None:
        if self.after_refresh is not None:
            self.broken = self.after_refresh


class KeptLists:
    def __init__(self) -> None:
        self.kept: set[tuple[str, str, str]] = set()
        self.left: set[tuple[str, str]] = set()

    async def refuses(self, user_id: str, topic: str) -> bool:
        return (user_id, topic) in self.left

    async def dead_address(self, user_id: str, address: str) -> None:
        self.kept.add(("dead_address", user_id, address))

    async def opted_out(self, user_id: str, channel: str) -> None:
        self.kept.add(("opted_out", user_id, channel))


class World:
    """What outlives a worker. `away`: the ledger or the posts do not answer while it says so."""

    def __init__(self, provider: Script | None = None, **policy: Any) -> None:
        self.ledger = MemoryLedger()
        self.provider = provider or Script()
        self.policy = Policy(**{"resend": False, **policy})
        self.posts: list[Post] = []
        self.content, self.lists = Templates(), KeptLists()
        self.pauses: list[str] = []
        self.stop_at: dict[int, str] = {}
        self.agree, self.fence = 3, Fence()
        self.clock = LoopClock(BASE)
        self.ledger_away: Callable[[], bool] = lambda: False
        self.posts_away: Callable[[], bool] = lambda: False

    def tools(self, worker: str = "w1", concurrency: int = 10) -> Tools:
        gate = Turnstile(self.clock, concurrency)
        ledger = Batches("ledger", self._apply, DatabaseAwayError, self.clock, self.execute)
        posts = Batches("posts", self._post, ConnectionError, self.clock, self.execute)
        parts = (gate, ledger, posts, self.provider, self.content, self.lists, self)
        more = (Random(worker), Agreement(self.agree), self.fence, self)
        return Tools("sms", worker, self.policy, self.clock, *parts, *more)

    def state(self, _activity: str) -> str | None:
        """How the switch of every activity stands."""
        return next((state for at, state in self.stop_at.items() if self.clock.now() >= BASE + at), None)

    def worker(self, mailbox: ListMailbox, worker: str = "w1", concurrency: int = 10) -> Worker:
        self.last = self.tools(worker, concurrency)
        return Worker(self.last, mailbox)

    async def deliver(self, *notes: Delivery | Recall | bytes, later: Any = (), worker: str = "w1") -> None:
        """All at once; `later`: (ms, note) of what comes afterwards."""
        batches = [(0, parcels(notes))]
        batches += [(at, parcels([note], 100 + n)) for n, (at, note) in enumerate(later)]
        mailbox = ListMailbox(batches)
        await self.worker(mailbox, worker).run()
        assert mailbox.left == []

    async def pause(self, channel: str, reason: str) -> None:
        self.pauses.append(reason)

    async def execute(self, work: Callable[[Any], Any], items: Any) -> Any:
        """In place of a thread: a transaction takes a moment, in which requests queue."""
        await asyncio.sleep(0.005)
        return work(items)

    def _apply(self, changes: Any) -> Any:
        if self.ledger_away():
            raise DatabaseAwayError("away")
        return self.ledger.apply(changes)

    def _post(self, posts: Sequence[Post]) -> list[None]:
        if self.posts_away():
            raise ConnectionError("away")
        self.posts += posts
        return [None] * len(posts)

    def receipts(self) -> list[tuple[str, str, int]]:
        """(user, status, ms from BASE)."""
        events = [msgspec.json.decode(post.value) for post in self.posts if post.topic == "receipts"]
        assert all(event["type"] == "receipt" for event in events)
        return [(event["user_id"], event["props"]["status"], event["time"] - BASE) for event in events]

    def letters(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(post.value) for post in self.posts if post.topic.startswith("dead-letters")]

    def states(self) -> dict[str, str]:
        return {row.user_id: row.state for row in self.ledger.rows.values()}

    def outcomes(self) -> list[str | None]:
        return [call.outcome for _, call in sorted(self.ledger.calls.items())]
