"""How releases reach the running job: polled from the rule store, broadcast, kept in broadcast state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
from pyflink.common import Types
from pyflink.datastream import FlatMapFunction, RuntimeContext
from pyflink.datastream.state import BroadcastState, MapStateDescriptor, ReadOnlyBroadcastState

from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.release import Release, decode, encode
from operators.losses import LookForLosses, Losses
from operators.registry import LookUp, Sources, SourceWatch, kept_sources
from operators.switch import LookAtSwitches, SwitchWatch, kept_switches
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

RELEASES = MapStateDescriptor("releases", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
"""NEWEST and BEFORE: the releases in force, encoded. SUBMITTED: which submission of the job they were last told by."""
NEWEST, BEFORE, SUBMITTED = "newest", "before", "submitted"


class RuleStore(Protocol):
    """`latest(after)`: the newest release with a number above `after`, or None. Raises on any trouble."""

    def latest(self, after: int) -> Release | None: ...


class Shipped(msgspec.Struct, frozen=True):
    """The release current at a submission of the job, which is told apart from others by its time (epoch ms).

    `sources`: what their store had then; None: there is none, and the release's hold. `switches`: as they stood.
    """

    release: Release
    submitted: int
    sources: Sources | None = None
    switches: Switches = Switches()


class Announcement(msgspec.Struct, frozen=True, tag="release"):
    """A release on its way to all tasks. `shipped`: it came with the job, as did `sources` and `switches`; else it was
    found at `seen` (epoch ms)."""

    release: Release
    submitted: int
    seen: int
    shipped: bool
    sources: Sources | None = None
    switches: Switches = Switches()


class PollRules(FlatMapFunction):
    """Each tick -> the release that is new, announced. The shipped one goes first, so that it gets into the state; then
    whatever the store has, because after a restart of this task only the state knows what was announced before. The
    same for switches, and for sources where they have a store. And what was lost (losses.py).

    Trouble is counted, and logged when it changes; the last good release stays in force. Only a lease that another
    engine has taken over ends the job.
    """

    def __init__(
        self,
        open_store: Callable[[], RuleStore],
        open_sources: Callable[[], LookUp] | None,
        open_losses: Callable[[], LookForLosses] | None,
        shipped: bytes,
        clock: Callable[[], float],
        open_lease: Callable[[], Callable[[], None]] | None = None,
        open_switches: Callable[[], LookAtSwitches] | None = None,
    ) -> None:
        self._open_store, self._open_lease = open_store, open_lease
        self._open_losses = open_losses
        self._open_sources, self._open_switches = open_sources, open_switches
        self._shipped = shipped
        self._clock = clock

    def open(self, runtime_context: RuntimeContext) -> None:
        self._store = self._open_store()
        self._submitted = decode_shipped(self._shipped).submitted
        self._last: int | None = None
        self._trouble = ""
        self._telemetry = Telemetry(runtime_context)
        self._losses = Losses(self._open_losses, self._telemetry) if self._open_losses else None
        if self._losses is not None:
            self._losses.start()
        self._watch = SourceWatch(self._open_sources(), self._telemetry) if self._open_sources else None
        self._switches = SwitchWatch(self._open_switches(), self._telemetry) if self._open_switches else None
        self._renew = self._open_lease() if self._open_lease else lambda: None

    def close(self) -> None:
        if self._losses is not None:
            self._losses.close()

    def flat_map(self, value: Any) -> Iterator[bytes]:
        self._renew()
        if self._last is None:
            self._last = 0
            yield announce_shipped(self._shipped)
        yield from self._release(self._last)
        if self._switches is not None:
            yield from self._switches.look()
        if self._watch is not None:
            yield from self._watch.look()
        if self._losses is not None:
            yield from self._losses.announced()

    def _release(self, last: int) -> Iterator[bytes]:
        try:
            release = self._store.latest(last)
        except Exception as error:  # whatever ails the store must not end the job
            self._refuse(str(error))
            return
        self._trouble = ""
        if release is not None:
            self._last = release.number
            self._telemetry.count("rules", "found")
            seen = int(self._clock() * 1000)
            yield msgspec.msgpack.encode(Announcement(release, self._submitted, seen, shipped=False))

    def _refuse(self, trouble: str) -> None:
        self._telemetry.count("rules", "refused")
        if trouble != self._trouble:
            self._trouble = trouble
            log.error("the rules stay as they are, what came after them cannot be used: %s", trouble)


def decode_shipped(value: bytes) -> Shipped:
    return msgspec.msgpack.decode(value, type=Shipped)


def announce_shipped(value: bytes) -> bytes:
    shipped = decode_shipped(value)
    submitted = shipped.submitted
    came: dict[str, Any] = {"sources": shipped.sources, "switches": shipped.switches}
    return msgspec.msgpack.encode(Announcement(shipped.release, submitted, submitted, shipped=True, **came))


def known_releases(shipped: bytes, state: ReadOnlyBroadcastState) -> list[Release]:
    """What is in force after a start or restore: oldest first, one or two."""
    known = [decode(value) for key in (BEFORE, NEWEST) if (value := state.get(key)) is not None]
    announcement = msgspec.msgpack.decode(announce_shipped(shipped), type=Announcement)
    if not known:
        return [announcement.release]
    newer = following(known[-1], announcement, submission_of(state))
    return [*known, newer][-2:] if newer else known


def known_sources(shipped: bytes, state: ReadOnlyBroadcastState) -> Sources | None:
    """What their store said, after a start or restore; None: there is none."""
    came = decode_shipped(shipped)
    if came.sources is None or came.submitted > submission_of(state):
        return came.sources
    kept = kept_sources(state)
    return came.sources if kept is None else kept


def known_switches(shipped: bytes, state: ReadOnlyBroadcastState) -> Switches:
    """How they stand after a start or restore."""
    came = decode_shipped(shipped)
    kept = kept_switches(state)
    return came.switches if kept is None or came.submitted > submission_of(state) else kept


def submission_of(state: ReadOnlyBroadcastState) -> int:
    value = state.get(SUBMITTED)
    return 0 if value is None else int.from_bytes(value, "big")


def following(known: Release, announcement: Announcement, submitted: int) -> Release | None:
    """What an announcement means after `known`; None where it says nothing new.

    What was shipped is older than what the state knows of the same submission. Numbers do not tell: a folder that is
    edited by hand counts anew whenever somebody begins to look at it. What drains is worked out here, too: only the job
    knows which definitions its open matches began under.
    """
    newer = announcement.release
    if announcement.shipped and announcement.submitted <= submitted:
        return None
    if newer.rules == known.rules and newer.seeds == known.seeds:
        return None
    number = max(newer.number, known.number + 1)
    effective_at = newer.effective_at if newer.effective_at > known.effective_at else announcement.seen
    own = succeed(known, newer.rules, effective_at, number)
    return msgspec.structs.replace(
        newer,
        number=number,
        effective_at=effective_at,
        draining=newer.draining | own.draining,
        drain_until=newer.drain_until | own.drain_until,
        shadows=own.shadows | newer.shadows,
        before=own.before | newer.before,
        texts_before=own.texts_before | newer.texts_before,
    )


def keep_releases(known: list[Release], submitted: int, state: BroadcastState) -> None:
    state.put(NEWEST, encode(known[-1]))
    if len(known) > 1:
        state.put(BEFORE, encode(known[-2]))
    state.put(SUBMITTED, submitted.to_bytes(8, "big"))
