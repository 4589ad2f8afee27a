"""Deliveries of a run on files, through the worker: every message a line of a file, time as it was decided."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import sqlalchemy as sql

from kairos.adapters.channels.providers import open_channel
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.decoding import UnreadableError, decoder
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.delivery.mailbox_file import FileMailbox, FilePosts
from kairos.adapters.delivery.policy import Policy
from kairos.adapters.files.run_folder import lines_of, topics_in
from kairos.adapters.profiles.lists import FileLists
from kairos.adapters.rules.store import RuleStore
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.content import Templates
from kairos.apps.delivery.fence import Fence
from kairos.apps.delivery.pace.agreement import Agreement
from kairos.apps.delivery.pace.turnstile import Turnstile
from kairos.apps.delivery.tally import counts_of
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.waiting_lists import WaitingLists
from kairos.apps.delivery.worker import Worker
from kairos.engine.topics import DELIVERIES
from kairos.errors import KairosError

LEDGER = "delivery.db"
OUTBOX = "outbox"
WRITTEN = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", "receipts.jsonl", "lists.jsonl")
ROOM = 500


class EmbeddedError(KairosError):
    """The messages cannot be written; the message says why."""


class DecidedClock:
    """The moment of one decision: it passes only while somebody sleeps."""

    def __init__(self, at: int) -> None:
        self._now = at

    def now(self) -> int:
        return self._now

    async def sleep(self, ms: int) -> None:
        self._now += max(0, ms)


def clear(folder: Path) -> None:
    """Removes what an earlier run has left, so that a repeated run sends anew."""
    stale = [folder / name for name in WRITTEN]
    stale += [*folder.glob("dead-letters.*.jsonl"), *(folder / OUTBOX).glob("*.jsonl")]
    for path in stale:
        path.unlink(missing_ok=True)


async def deliver(folder: Path, store: RuleStore) -> dict[str, Counter[str]]:
    """Delivers what the run decided. Returns what became of it, by channel. Raises EmbeddedError, DatabaseError,
    RunFolderError."""
    clear(folder)
    content = Templates(store)
    await content.refresh()
    if not content.number:
        raise EmbeddedError("the rule store has no release, so no message can be made")
    engine = open_engine(f"sqlite:///{folder / LEDGER}")
    try:
        create_tables(engine)
        topics = {t.removeprefix(DELIVERIES): p for t, p in topics_in(folder).items() if t.startswith(DELIVERIES)}
        return {
            channel: await _deliver(channel, in_order(channel, path), folder, engine, content)
            for channel, path in topics.items()
        }
    finally:
        engine.dispose()


def in_order(channel: str, path: Path) -> Iterator[Parcel]:
    """Parcels in the order of decision, as a topic would have them."""
    lines = [line.rstrip(b"\n") for _, _, line in lines_of(path)]
    lines.sort(key=lambda line: (_time(line), line))
    for number, line in enumerate(lines):
        yield Parcel(DELIVERIES + channel, 0, number, None, line, _time(line))


class _Time(msgspec.Struct):
    at: int


class _Timed(msgspec.Struct):
    at: int = 0
    recall: _Time | None = None


_timed = decoder(_Timed)


def _time(line: bytes) -> int:
    try:
        note = _timed(line)
    except UnreadableError:
        return 0  # the worker makes a dead letter of it
    return note.recall.at if note.recall is not None else note.at


async def _deliver(
    channel: str, parcels: Iterator[Parcel], folder: Path, engine: sql.Engine, content: Templates
) -> Counter[str]:
    clock, stop = WallClock(), _Stop()
    path = str(folder / OUTBOX / f"{channel}.jsonl")
    tools = Tools(
        channel=channel,
        worker="embedded",
        policy=Policy(resend=False),
        clock=clock,
        gate=Turnstile(clock, ROOM),
        ledger=Batches("ledger", SqlLedger(engine).apply, DatabaseAwayError, clock),
        posts=Batches("posts", FilePosts(folder).write, DatabaseAwayError, clock),
        provider=open_channel("file", {"path": path}, timeout=Policy(resend=False).timeout),
        content=content,
        lists=WaitingLists(FileLists(folder / "lists.jsonl"), clock),
        pauses=stop,
        chance=Random(channel),
        agreement=Agreement(1),
        fence=Fence(),
        clock_of=DecidedClock,
    )
    worker = Worker(tools, FileMailbox(parcels, ROOM))
    running: asyncio.Future[Any] = asyncio.create_task(worker.run())
    try:
        await asyncio.wait([running, stop.reason], return_when=asyncio.FIRST_COMPLETED)
        if stop.reason.done():
            raise EmbeddedError(f"{path}: {stop.reason.result()}")
        await running
    finally:
        running.cancel()
        await worker.abandon()
        await tools.provider.close()
        tools.ledger.close()
        tools.posts.close()
    return counts_of(tools.metrics, channel)


class _Stop:
    """There is nobody to mend anything and go on: the run ends."""

    def __init__(self) -> None:
        self.reason: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def pause(self, channel: str, reason: str) -> None:
        if not self.reason.done():
            self.reason.set_result(reason)
