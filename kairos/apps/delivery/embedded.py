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
from kairos.adapters.delivery_database import create_tables, open_engine
from kairos.adapters.ledger import LedgerAwayError
from kairos.adapters.lists import FileLists
from kairos.adapters.mailbox import Parcel
from kairos.adapters.mailbox_file import FileMailbox, FilePosts
from kairos.adapters.rule_store import RuleStore
from kairos.adapters.run_folder import DELIVERIES, lines_of, topics_in
from kairos.adapters.sql_ledger import SqlLedger
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.content import Templates
from kairos.apps.delivery.gate import Gate
from kairos.apps.delivery.policy import Policy
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.waiting_lists import WaitingLists
from kairos.apps.delivery.worker import Worker

LEDGER = "delivery.db"
OUTBOX = "outbox"
WRITTEN = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", "receipts.jsonl", "lists.jsonl")
ROOM = 500


class EmbeddedError(Exception):
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
    """What an earlier run has left: a repeated run is a new one, and sends anew."""
    stale = [folder / name for name in WRITTEN]
    stale += [*folder.glob("dead-letters.*.jsonl"), *(folder / OUTBOX).glob("*.jsonl")]
    for path in stale:
        path.unlink(missing_ok=True)


async def deliver(folder: Path, store: RuleStore) -> dict[str, Counter[str]]:
    """What became of the deliveries of each channel. Raises EmbeddedError, DatabaseError, RunFolderError."""
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
    """In the order of decision, as a topic would have them."""
    lines = [line.rstrip(b"\n") for _, _, line in lines_of(path)]
    lines.sort(key=lambda line: (_time(line), line))
    for number, line in enumerate(lines):
        yield Parcel(DELIVERIES + channel, 0, number, None, line, _time(line))


class _Time(msgspec.Struct):
    at: int


class _Timed(msgspec.Struct):
    at: int = 0
    recall: _Time | None = None


def _time(line: bytes) -> int:
    try:
        note = msgspec.json.decode(line, type=_Timed)
    except ValueError:
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
        gate=Gate(clock, ROOM),
        ledger=Batches("ledger", SqlLedger(engine).apply, LedgerAwayError, clock),
        posts=Batches("posts", FilePosts(folder).write, LedgerAwayError, clock),
        provider=open_channel("file", {"path": path}, timeout=Policy(resend=False).timeout),
        content=content,
        lists=WaitingLists(FileLists(folder / "lists.jsonl"), clock),
        pauses=stop,
        chance=Random(channel),
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
    return tools.counters


class _Stop:
    """There is nobody to mend anything and go on: the run ends."""

    def __init__(self) -> None:
        self.reason: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def pause(self, channel: str, reason: str) -> None:
        if not self.reason.done():
            self.reason.set_result(reason)
