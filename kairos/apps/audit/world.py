"""What an audit must know beside decisions and deliveries: the rules as they were, users as they are, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from kairos.adapters.decision_log import NEVER
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.model import Activity
from kairos.engine.rule.release import Release, activity_version

UNKNOWN_VERSION = "of a version that no known release has"
UNKNOWN_POLICY = "from before the first release that is known"
GRACE = 60_000
"""Ms that job and workers have to hear of a release, to make a decision visible, to look at a delivery that is over."""


@dataclass(frozen=True)
class World:
    """`releases`: by number. `profile`: of a user, as known now. `resends`: does this channel send again what may have
    gone already? `now`: epoch ms; None: everything is over, and nothing may be left undone. Decisions from before
    `complete_since` and after `complete_until` may be missing. `paused`: channels that wait for somebody.
    """

    releases: Sequence[Release]
    profile: Callable[[str], Mapping[str, Any] | None]
    resends: Callable[[str], bool]
    now: int | None
    complete_since: int = 0
    complete_until: int = NEVER
    paused: frozenset[str] = frozenset()

    @cached_property
    def _activities(self) -> dict[str, Activity]:
        found: dict[str, Activity] = {}
        for release in self.releases:
            found |= {activity_version(activity): activity for activity in release.rules.activities.values()}
            found |= release.draining
        return found

    def activity(self, version: str) -> Activity | None:
        """The definition that a decision was made under; None: no release known has it."""
        return self._activities.get(version)

    def policies(self, at: int) -> list[Policy]:
        """Those that may have held: soon after a release it may have been the one before. None: it is not known."""
        known_from = self.releases[0].effective_at
        if known_from and at - GRACE < known_from:
            return []
        return [self._policy(at), self._policy(at - GRACE)]

    def _policy(self, at: int) -> Policy:
        holding = (release for release in reversed(self.releases) if release.effective_at <= at)
        return next(holding, self.releases[0]).rules.policy

    def zone(self, user_id: str, activity: Activity, policy: Policy, *, degraded: bool) -> ZoneInfo:
        """The user's own, else the activity's, else the policy's. `degraded`: nobody could know the user's own."""
        profile = {} if degraded else self.profile(user_id) or {}
        for name in (profile.get("timezone"), activity.active.timezone):
            if isinstance(name, str):
                try:
                    return ZoneInfo(name)
                except (KeyError, ValueError, OSError):
                    continue
        return ZoneInfo(policy.timezone)

    def white(self, user_id: str, policy: Policy) -> bool:
        """On the list that caps and quiet hours do not bind."""
        if policy.white is None:
            return False
        if policy.white.users is not None:
            return user_id in policy.white.users
        lists = (self.profile(user_id) or {}).get("lists")
        return isinstance(lists, list | tuple) and "white" in lists
