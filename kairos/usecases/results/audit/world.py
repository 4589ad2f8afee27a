"""What an audit must know beside decisions and deliveries: the rules as they were, users as they are, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from kairos.adapters.output.decision_log import NEVER
from kairos.engine.loss import Loss
from kairos.engine.policy.spec import Policy
from kairos.engine.profile.consent import is_listed
from kairos.engine.profile.zone import own_zone, zone_named
from kairos.engine.rule.model import Activity
from kairos.engine.rule.reads.codes import codes_of
from kairos.engine.rule.release import Release, activity_version
from kairos.usecases.control.verify import Verified

UNKNOWN_VERSION = "of a version that no known release has"
UNKNOWN_POLICY = "from before the first release that is known"
GRACE = 60_000
"""Ms that job and workers have to hear of a release, to make a decision visible, to look at a delivery that is over."""


class Kept(NamedTuple):
    """A pool: how many codes were ever in it, how many are free, and who holds the others: (code, holder)."""

    known: int
    free: int
    held: Sequence[tuple[str, str]]


def pools_in(releases: Sequence[Release]) -> Callable[[str], Mapping[str, str]]:
    """The version of an activity -> the names in its `data` that are codes of coupons, and their pools."""
    found: dict[str, dict[str, str]] = {}
    for release in releases:
        if release.rules.coupons:
            for activity in (*release.rules.activities.values(), *release.draining.values()):
                found[activity_version(activity)] = codes_of(activity)
    return lambda version: found.get(version, {})


@dataclass(frozen=True)
class World:
    """`releases`: by number. `profile`: of a user, as known now. `resends`: does this channel send again what may have
    gone already? `now`: epoch ms; None: everything is over, and nothing may be left undone. Decisions from before
    `complete_since` and after `complete_until` may be missing. `paused`: channels that wait for somebody. `losses`:
    what was deleted before somebody had read it. `log`: of what people have done; None: there is none. `coupons`: pool
    -> what lies in it; None: nobody can look.
    """

    releases: Sequence[Release]
    profile: Callable[[str], Mapping[str, Any] | None]
    resends: Callable[[str], bool]
    now: int | None
    complete_since: int = 0
    complete_until: int = NEVER
    paused: frozenset[str] = frozenset()
    losses: Sequence[Loss] = ()
    log: Verified | None = None
    coupons: Mapping[str, Kept] | None = None

    @cached_property
    def _activities(self) -> dict[str, Activity]:
        found: dict[str, Activity] = {}
        for release in self.releases:
            found |= {activity_version(activity): activity for activity in release.rules.activities.values()}
            found |= release.draining
            drained = (part for old in release.draining_journeys for part in old.activities.values())
            found |= {activity_version(part): part for part in drained}
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
        own = activity.active.timezone
        return own_zone(profile) or (zone_named(own) if own else None) or ZoneInfo(policy.timezone)

    def white(self, user_id: str, policy: Policy) -> bool:
        """On the list that caps and quiet hours do not bind."""
        if policy.white is None:
            return False
        if policy.white.users is not None:
            return user_id in policy.white.users
        return is_listed(self.profile(user_id), "white")
