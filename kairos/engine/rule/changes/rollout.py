"""A version that only a share of users get until it has proved itself: the others have the release as it was before."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from kairos.engine.decision import share_of
from kairos.engine.rule.model import Activity, Guardrails
from kairos.engine.rule.release import Release, activity_version

_ONCE_LIVE = ("live", "paused", "ended")


class Rollout(msgspec.Struct, frozen=True):
    """`key`: what the switch knows it by, `activity@version`; once that is turned, everyone has the version before."""

    activity: str
    key: str
    share: float
    guardrails: Guardrails = Guardrails()

    def includes(self, user_id: str) -> bool:
        return share_of(user_id, f"{self.activity}/rollout") < self.share


def rollouts_of(release: Release) -> tuple[Rollout, ...]:
    """By activity. One of which no version before is known is everyone's already."""
    new = (release.rules.activities[name] for name in sorted(release.before) if name in release.rules.activities)
    return tuple(
        Rollout(one.name, f"{one.name}@{activity_version(one)}", one.rollout, one.guardrails)
        for one in new
        if one.rollout is not None
    )


def without(release: Release, names: Set[str]) -> Release:
    """The release as those have it who are in none of these rollouts."""
    activities = dict(release.rules.activities)
    for name in names:
        old = release.before[name]
        if old is None:
            del activities[name]
        else:
            activities[name] = _as_it_stands(old, activities[name])
    texts = dict(release.rules.templates)
    for name in names:
        texts |= release.texts_before.get(name, {})
    current = {activity_version(activity) for activity in activities.values()}
    return msgspec.structs.replace(
        release,
        rules=msgspec.structs.replace(release.rules, activities=activities, templates=texts),
        draining={version: one for version, one in release.draining.items() if version not in current},
        before={name: old for name, old in release.before.items() if name not in names},
    )


def _as_it_stands(old: Activity, new: Activity) -> Activity:
    """Whoever pauses the activity means all of it; a draft does not go live by a version after it."""
    return msgspec.structs.replace(old, state=new.state) if old.state in _ONCE_LIVE else old
