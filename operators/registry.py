"""How a change of the sources reaches the running job: polled from their store, broadcast, kept in broadcast state.

Without such a store each release says what its sources declare.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import msgspec
from pyflink.datastream.state import BroadcastState, ReadOnlyBroadcastState

from kairos.engine.rule.model import Source
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

Sources = dict[str, Source]
REGISTRY = "sources"
"""The key in the broadcast state of releases. Savepoints from before there was one do not have it."""


class FoundSources(msgspec.Struct, frozen=True, tag="sources"):
    """What the store has now. `unusable`: it has these too, but cannot say what they are; what was known of them
    holds."""

    sources: Sources
    unusable: tuple[str, ...] = ()


LookUp = Callable[[], tuple[FoundSources, Sequence[str]]]
"""What is there, and what is wrong with it. Raises on any trouble."""


class SourceWatch:
    """Announces what has changed since it looked before. Trouble is counted, and logged when it changes."""

    def __init__(self, look_up: LookUp, telemetry: Telemetry) -> None:
        self._look_up = look_up
        self._telemetry = telemetry
        self._last: FoundSources | None = None
        self._told: Sequence[str] = ()

    def look(self) -> Iterator[bytes]:
        try:
            found, problems = self._look_up()
        except Exception as error:  # whatever ails the store must not end the job
            self._refuse([str(error)])
            return
        self._refuse(problems)
        if found != self._last:
            self._last = found
            self._telemetry.count("sources", "found")
            yield msgspec.msgpack.encode(found)

    def _refuse(self, problems: Sequence[str]) -> None:
        if problems:
            self._telemetry.count("sources", "refused")
        for problem in problems:
            if problem not in self._told:
                log.error("a source stays as it is, what came after it cannot be used: %s", problem)
        self._told = problems


def merged(known: Sources, found: FoundSources) -> Sources:
    """The sources in force after an announcement."""
    kept = {name: known[name] for name in found.unusable if name in known}
    return {**found.sources, **kept}


def keep_sources(sources: Sources, state: BroadcastState) -> None:
    state.put(REGISTRY, msgspec.msgpack.encode(sources))


def kept_sources(state: ReadOnlyBroadcastState) -> Sources | None:
    value = state.get(REGISTRY)
    return None if value is None else msgspec.msgpack.decode(value, type=Sources)
