"""What a new release would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from kairos.adapters.rules.history import read_releases
from kairos.adapters.rules.store import BrokenReleaseError, open_rule_store
from kairos.engine.play.seeding import seed_metrics
from kairos.engine.rule.changes.change import Change, change_of
from kairos.engine.rule.changes.succession import Seeding
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, activity_version
from kairos.usecases.events import Events


class Standing(msgspec.Struct, frozen=True):
    """What a rule store has: its last good release (None: it has none), and the number of the next one. `broken`: what
    is wrong with newer releases that do not load."""

    store: str
    previous: Release | None
    number: int
    broken: list[str]


class Proposal(msgspec.Struct, frozen=True):
    """What would be published. `seeding`: what new metrics would start from. `heals`: newer releases than the previous
    one do not load, so one that is like it is wanted, too."""

    change: Change
    previous: Release | None
    seeding: Seeding | None
    heals: bool = False

    @property
    def idle(self) -> bool:
        """There is nothing to publish."""
        return self.change.empty and not self.heals

    @property
    def before(self) -> RuleSet | None:
        return self.previous.rules if self.previous is not None else None

    @property
    def after(self) -> RuleSet:
        return self.change.release.rules


def standing(store: str) -> Standing:
    """A folder that is not there yet is an empty store. Raises RuleStoreError."""
    opened, broken, newest = open_rule_store(store), list[str](), 0
    if "://" not in store and not Path(store).exists():
        return Standing(store, None, 1, broken)
    while True:
        try:
            previous = opened.latest(0)
        except BrokenReleaseError as error:
            broken.append(str(error))
            newest = max(newest, error.number)
        else:
            return Standing(store, previous, max(newest, previous.number if previous else 0) + 1, broken)


def propose(
    before: Standing,
    rules: RuleSet,
    now: int,
    past: Events | None = None,
    *,
    accept_cold: bool = False,
    tried: RuleSet | None = None,
    sweep: int = 0,
) -> Proposal:
    """What publishing `rules` at event time `now` (epoch ms) would do. `past`: all past events, which new metrics start
    from. `accept_cold`: although metrics that are read are not complete yet. `tried`: rules whose activities may be
    named as shadows, beside all versions that the store has. `sweep`: the time (ms) in which everyone inside a
    journey that was edited is looked at."""
    seeding = seed_metrics(before.previous, rules, past.all, now, past.duplicate) if past else None
    versions = {activity_version(activity): activity for activity in (tried.activities.values() if tried else ())}
    if before.previous is not None and any(activity.shadow for activity in rules.activities.values()):
        versions = _versions(before.store) | versions
    change = change_of(before.previous, rules, now, before.number, accept_cold, seeding, versions)
    if sweep and any(one.touched for one in change.changes):
        change = replace(change, release=msgspec.structs.replace(change.release, sweep=sweep))
    return Proposal(change, before.previous, seeding, bool(before.broken))


def _versions(store: str) -> dict[str, Activity]:
    """All that the store's releases have, by version. Raises RuleStoreError."""
    kept = (
        activity
        for release in read_releases(store)
        for activity in (*release.rules.activities.values(), *release.shadows.values(), *release.draining.values())
    )
    return {activity_version(activity): activity for activity in kept}
