"""The releases that one task's engine goes by: recalled after a start, followed as they are announced."""

from __future__ import annotations

import logging

import msgspec
from pyflink.datastream.state import BroadcastState, ReadOnlyBroadcastState

from kairos.engine.engine import Engine
from kairos.engine.rule.compile import Plan, compile_release
from kairos.engine.rule.release import Release
from operators.intake import Intake
from operators.rules import Announcement, following, keep_releases, known_releases, submission_of
from operators.telemetry import Telemetry

log = logging.getLogger(__name__)


class Rulebook:
    """`shipped`: what the job brought along. The engine gets each plan, the intake what its sources declare."""

    def __init__(self, shipped: bytes, engine: Engine, intake: Intake, telemetry: Telemetry) -> None:
        self._shipped = shipped
        self._engine = engine
        self._intake = intake
        self._telemetry = telemetry
        self._plan: Plan | None = None
        self._known: list[Release] = []
        self._announcement = msgspec.msgpack.Decoder(Announcement).decode

    @property
    def number(self) -> int:
        """Of the release in force; 0: none so far, there is one to be recalled."""
        return self._plan.number if self._plan else 0

    def recall(self, state: ReadOnlyBroadcastState) -> None:
        """At the first record after a start or restore: broadcast state is back, but nobody has called us about it."""
        for release in known_releases(self._shipped, state):
            self._adopt(release)

    def hear(self, value: bytes, state: BroadcastState) -> None:
        """An announcement. What cannot be used is refused, and the release in force stays."""
        if self._plan is None:
            self.recall(state)
        try:
            announcement = self._announcement(value)
            release = following(self._known[-1], announcement, submission_of(state))
            if release is not None:
                self._adopt(release)
                self._telemetry.count("rules", "adopted")
        except Exception as error:  # whatever is wrong with a release must not end the job
            log.error("a release was refused, release %d stays in force: %s", self.number, error)
            self._telemetry.count("rules", "refused")
            return
        keep_releases(self._known, announcement.submitted, state)

    def _adopt(self, release: Release) -> None:
        max_runs = self._engine.settings.max_runs
        self._plan = compile_release(release, self._plan, max_runs=max_runs, script=self._engine.script)
        self._engine.adopt(self._plan)
        self._known = [*self._known, release][-2:]
        self._intake.expect(release.rules.sources)
