"""Whom a slot may concern, as far as profiles say it. Who is in a crowd by what he did is asked when the slot comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.crowd.live import live_crowds
from kairos.engine.crowd.membership import compile_crowds
from kairos.engine.expression.scope import Facts
from kairos.engine.profile.zone import own_zone
from kairos.engine.rule.model import RuleSet

Profile = Mapping[str, Any]
Asked = Callable[[str, Profile, int], bool]
"""(user, profile, epoch ms) -> whether the user is in the crowd, or may be."""


def member(crowd: str | None, rules: RuleSet) -> Asked:
    if crowd is None or crowd in live_crowds(rules.crowds, rules.kept):
        return lambda _user, _profile, _at: True
    compiled = compile_crowds(rules.crowds, rules.kept)
    default = ZoneInfo(rules.policy.timezone)

    def ask(user: str, profile: Profile, at: int) -> bool:
        facts = Facts(profile=profile, now=at, zone=own_zone(profile) or default)
        facts.in_crowd = lambda name: compiled[name](user, facts)
        return compiled[crowd](user, facts)

    return ask
