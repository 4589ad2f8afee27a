"""The releases that one task's engine goes by: recalled after a start, followed as they are announced."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from pyflink.datastream.state import BroadcastState, ReadOnlyBroadcastState

from kairos.engine.catalog.spec import Catalog
from kairos.engine.engine import Engine
from kairos.engine.loss import Loss
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.changes.trial import refused
from kairos.engine.rule.compile import Program, compile_release
from kairos.engine.rule.reads.needs import needs_of
from kairos.engine.rule.release import Release
from operators.contract import Contract
from operators.profiles import ProfileSource
from operators.registry import FoundSources, Sources, keep_sources, merged
from operators.rules import (
    Announcement,
    following,
    keep_releases,
    known_releases,
    known_sources,
    known_switches,
    submission_of,
)
from operators.switch import FoundSwitches, keep_switches
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)


class Rulebook:
    """`shipped`: what the job brought along. The engine gets each program, the contract what the sources declare: those
    of their store, where there is one, else those of the release; profiles are told what is needed of them."""

    def __init__(
        self, shipped: bytes, engine: Engine, contract: Contract, profiles: ProfileSource | None, telemetry: Telemetry
    ) -> None:
        self._shipped = shipped
        self._engine = engine
        self._contract = contract
        self._profiles = profiles
        self._telemetry = telemetry
        self._program: Program | None = None
        self._known: list[Release] = []
        self._sources: Sources | None = None
        self._message = msgspec.msgpack.Decoder(Announcement | FoundSources | FoundSwitches | Loss).decode

    @property
    def number(self) -> int:
        """Of the release in force; 0: none so far, there is one to be recalled."""
        return self._program.number if self._program else 0

    @property
    def catalogs(self) -> Mapping[str, Catalog]:
        """Of the newest release."""
        return self._program.rules.catalogs if self._program else {}

    def recall(self, state: ReadOnlyBroadcastState) -> None:
        """Reads broadcast state at the first record after a start or restore: Flink restores it without calling us."""
        self._sources = known_sources(self._shipped, state)
        self._engine.heed(known_switches(self._shipped, state))
        for release in known_releases(self._shipped, state):
            self._adopt(release)

    def hear(self, value: bytes, state: BroadcastState) -> Loss | None:
        """Takes an announcement: what cannot be used is refused, and what is in force stays. A loss is handed on."""
        if self._program is None:
            self.recall(state)
        try:
            message = self._message(value)
        except msgspec.MsgspecError as error:
            self._refuse(error)
            return None
        if isinstance(message, Loss):
            return message
        if isinstance(message, FoundSources):
            self._take_sources(message, state)
        elif isinstance(message, FoundSwitches):
            self._take_switches(message.switches, state)
        else:
            self._take_release(message, state)
        return None

    def _refuse(self, error: Exception) -> None:
        log.error("a release was refused, release %d stays in force: %s", self.number, error)
        self._telemetry.count("rules", "refused")

    def _take_sources(self, found: FoundSources, state: BroadcastState) -> None:
        if self._sources is None:
            return  # of a submission of the job that had a store of them
        self._sources = merged(self._sources, found)
        self._contract.expect(self._sources)
        self._telemetry.count("sources", "adopted")
        keep_sources(self._sources, state)

    def _take_switches(self, switches: Switches, state: BroadcastState) -> None:
        self._engine.heed(switches)
        self._telemetry.count("switches", "heeded")
        keep_switches(switches, state)

    def _take_release(self, announcement: Announcement, state: BroadcastState) -> None:
        if announcement.submitted > submission_of(state):
            if announcement.sources is not None:
                keep_sources(announcement.sources, state)
            if announcement.shipped:
                keep_switches(announcement.switches, state)
        try:
            release = following(self._known[-1], announcement, submission_of(state))
            if release is not None:
                self._adopt(release)
                self._telemetry.count("rules", "adopted")
        except Exception as error:  # whatever is wrong with a release must not end the job
            self._refuse(error)
            return
        keep_releases(self._known, announcement.submitted, state)

    def _adopt(self, release: Release) -> None:
        max_runs, before = self._engine.settings.max_runs, self._program
        self._program = compile_release(release, before, max_runs=max_runs, script=self._engine.script)
        self._engine.adopt(self._program)
        for why in refused(release, {}):  # `publish` refuses it; of a folder edited by hand only the job knows
            log.error("release %d cannot put on trial what it names: %s", release.number, why)
            self._telemetry.count("shadows", "refused")
        if self._profiles is not None:  # the release before is still in force for what is earlier
            needs = needs_of(self._program)
            self._profiles.need(needs if before is None else needs_of(before) | needs)
        self._known = [*self._known, release][-2:]
        self._contract.expect(release.rules.sources if self._sources is None else self._sources)
