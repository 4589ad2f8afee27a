"""How releases reach the running job: polled from the rule store, broadcast, kept in broadcast state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from pyflink.common import Types
from pyflink.datastream import FlatMapFunction, RuntimeContext
from pyflink.datastream.state import BroadcastState, MapStateDescriptor, ReadOnlyBroadcastState

from kairos.engine.rule.release import Release, decode, encode
from kairos.engine.rule.succession import succeed
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

RELEASES = MapStateDescriptor("releases", Types.STRING(), Types.PICKLED_BYTE_ARRAY())
"""The newest release under NEWEST, the one before it under BEFORE, encoded."""
NEWEST, BEFORE = "newest", "before"


class RuleStore(Protocol):
    """`latest(after)`: the newest release with a number above `after`, or None. Raises on any trouble."""

    def latest(self, after: int) -> Release | None: ...


class PollRules(FlatMapFunction):
    """Each tick -> the releases that are new, encoded; the shipped one first, so that it gets into the state.

    Trouble is counted, and logged when it changes; the last good release stays in force.
    """

    def __init__(self, open_store: Callable[[], RuleStore], shipped: bytes) -> None:
        self._open_store = open_store
        self._shipped = shipped

    def open(self, runtime_context: RuntimeContext) -> None:
        self._store = self._open_store()
        self._last: Release | None = None
        self._trouble = ""
        self._telemetry = Telemetry(runtime_context)

    def flat_map(self, value: Any) -> Iterator[bytes]:
        if self._last is None:
            self._last = decode(self._shipped)
            yield self._shipped
        try:
            release = self._store.latest(self._last.number)
        except Exception as error:  # whatever ails the store must not end the job
            self._refuse(str(error))
            return
        self._trouble = ""
        if release is not None:
            changed = release.rules != self._last.rules  # a folder store's first look finds what was shipped
            self._last = release
            if changed:
                self._telemetry.count("rules", "sent")
                yield encode(release)

    def _refuse(self, trouble: str) -> None:
        self._telemetry.count("rules", "refused")
        if trouble != self._trouble:
            self._trouble = trouble
            number = self._last.number if self._last else 0
            log.error("rules stay at release %d, what came after it cannot be used: %s", number, trouble)


def known_releases(shipped: bytes, state: ReadOnlyBroadcastState) -> list[Release]:
    """Those of the state and the one shipped with the job, oldest first, at least one and at most two."""
    known = [decode(value) for key in (BEFORE, NEWEST) if (value := state.get(key)) is not None]
    own = decode(shipped)
    if not known:
        return [own]
    follower = following(known[-1], own)
    return [*known, follower][-2:] if follower else known


def following(known: Release, newer: Release) -> Release | None:
    """What `newer` means after `known`; None where it says nothing new.

    What drains is worked out here: only the job knows which definitions its open matches began under.
    """
    if newer.number <= known.number or newer.rules == known.rules:
        return None
    return succeed(known, newer.rules, newer.effective_at, newer.number)


def keep_releases(known: list[Release], state: BroadcastState) -> None:
    state.put(NEWEST, encode(known[-1]))
    if len(known) > 1:
        state.put(BEFORE, encode(known[-2]))
