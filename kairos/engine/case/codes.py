"""Codes of coupons: what a message claims, and what goes back when it came to nothing."""

from __future__ import annotations

from kairos.engine.coupon.pools import Claim, Return
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.rule.journey import journey_of
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant


def claims_of(instant: Instant, send: CompiledSend, case: Case) -> list[Claim]:
    pools, key, user = instant.program.rules.coupons, key_of(instant.user_id, case), instant.user_id
    return [
        Claim(name, pool, key, case.activity, user, (pools[pool].per_user or 0) if pool in pools else 0)
        for name, pool in send.coupons.items()
    ]


def returns_of(instant: Instant, activity: CompiledActivity, case: Case) -> list[Return]:
    key = key_of(instant.user_id, case)
    return [Return(pool, key, case.activity, instant.user_id) for pool in sorted(activity.pools)]


def key_of(user_id: str, case: Case) -> str:
    """The key under which an occurrence takes codes, over all activities and users. The messages of a journey run share
    it."""
    return f"{journey_of(case.activity)}/{case.occurrence}/{user_id}"
