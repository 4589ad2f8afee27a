"""How a turn of the switch reaches the running job: polled from the control database, broadcast, kept in state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import msgspec
from pyflink.datastream.state import BroadcastState, ReadOnlyBroadcastState

from kairos.engine.rule.changes.switch import Switches
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)

SWITCHES = "switches"
"""The key in the broadcast state of releases. Savepoints from before there was a switch do not have it."""

LookAtSwitches = Callable[[], Switches]
"""How they stand. Raises on any trouble."""


class FoundSwitches(msgspec.Struct, frozen=True, tag="switches"):
    """All of them, as they stand."""

    switches: Switches


class SwitchWatch:
    """Announces them when they have been turned since it looked before. Trouble is counted, and logged when it
    changes."""

    def __init__(self, look_up: LookAtSwitches, telemetry: Telemetry) -> None:
        self._look_up, self._telemetry = look_up, telemetry
        self._last: Switches | None = None
        self._told = ""

    def look(self) -> Iterator[bytes]:
        try:
            found = self._look_up()
        except Exception as error:  # whatever ails the database must not end the job
            self._refuse(str(error))
            return
        self._told = ""
        if found != self._last:
            self._last = found
            self._telemetry.count("switches", "found")
            yield msgspec.msgpack.encode(FoundSwitches(found))

    def _refuse(self, trouble: str) -> None:
        self._telemetry.count("switches", "refused")
        if trouble != self._told:
            self._told = trouble
            log.error("the switches stay as they are: %s", trouble)


def keep_switches(switches: Switches, state: BroadcastState) -> None:
    state.put(SWITCHES, msgspec.msgpack.encode(switches))


def kept_switches(state: ReadOnlyBroadcastState) -> Switches | None:
    value = state.get(SWITCHES)
    return None if value is None else msgspec.msgpack.decode(value, type=Switches)
