"""The releases that one task's engine goes by: recalled after a start, followed as they are announced."""

from __future__ import annotations

import logging

import msgspec
from pyflink.datastream.state import BroadcastState, ReadOnlyBroadcastState

from kairos.engine.engine import Engine
from kairos.engine.rule.compile import Plan, compile_release
from kairos.engine.rule.needs import needs_of
from kairos.engine.rule.release import Release
from operators.intake import Intake
from operators.profiles import ProfileSource
from operators.registry import FoundSources, Sources, keep_sources, merged
from operators.rules import Announcement, following, keep_releases, known_releases, known_sources, submission_of
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)


class Rulebook:
    """`shipped`: what the job brought along. The engine gets each plan, the intake what the sources declare: those of
    their store, where there is one, else those of the release; profiles are told what is needed of them."""

    def __init__(
        self, shipped: bytes, engine: Engine, intake: Intake, profiles: ProfileSource | None, telemetry: Telemetry
    ) -> None:
        self._shipped = shipped
        self._engine = engine
        self._intake = intake
        self._profiles = profiles
        self._telemetry = telemetry
        self._plan: Plan | None = None
        self._known: list[Release] = []
        self._sources: Sources | None = None
        self._message = msgspec.msgpack.Decoder(Announcement | FoundSources).decode

    @property
    def number(self) -> int:
        """Of the release in force; 0: none so far, there is one to be recalled."""
        return self._plan.number if self._plan else 0

    def recall(self, state: ReadOnlyBroadcastState) -> None:
        """At the first record after a start or restore: broadcast state is back, but nobody has called us about it."""
        self._sources = known_sources(self._shipped, state)
        for release in known_releases(self._shipped, state):
            self._adopt(release)

    def hear(self, value: bytes, state: BroadcastState) -> None:
        """An announcement. What cannot be used is refused, and what is in force stays."""
        if self._plan is None:
            self.recall(state)
        try:
            message = self._message(value)
        except msgspec.MsgspecError as error:
            self._refuse(error)
            return
        if isinstance(message, FoundSources):
            self._take_sources(message, state)
        else:
            self._take_release(message, state)

    def _refuse(self, error: Exception) -> None:
        log.error("a release was refused, release %d stays in force: %s", self.number, error)
        self._telemetry.count("rules", "refused")

    def _take_sources(self, found: FoundSources, state: BroadcastState) -> None:
        if self._sources is None:
            return  # of a submission of the job that had a store of them
        self._sources = merged(self._sources, found)
        self._intake.expect(self._sources)
        self._telemetry.count("sources", "adopted")
        keep_sources(self._sources, state)

    def _take_release(self, announcement: Announcement, state: BroadcastState) -> None:
        if announcement.sources is not None and announcement.submitted > submission_of(state):
            keep_sources(announcement.sources, state)
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
        max_runs, before = self._engine.settings.max_runs, self._plan
        self._plan = compile_release(release, before, max_runs=max_runs, script=self._engine.script)
        self._engine.adopt(self._plan)
        if self._profiles is not None:  # the release before is still in force for what is earlier
            needs = needs_of(self._plan)
            self._profiles.need(needs if before is None else needs_of(before) | needs)
        self._known = [*self._known, release][-2:]
        self._intake.expect(release.rules.sources if self._sources is None else self._sources)
