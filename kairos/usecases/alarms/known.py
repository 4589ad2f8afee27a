"""What the rules say that alarms must know."""

from __future__ import annotations

from kairos.engine.alarm.spec import Known
from kairos.engine.expression import parse
from kairos.engine.expression.tree import Code
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity, RuleSet


def known_of(rules: RuleSet) -> Known:
    activities = rules.activities
    owner = {name: journey_of(name) for name in activities}
    return Known(
        zone=rules.policy.timezone,
        paused=frozenset(name for name, activity in activities.items() if activity.state == "paused"),
        active={name: (a.active.start, a.active.end) for name, a in activities.items()},
        owner=owner,
        budgets={owner[name]: a.limits.budget for name, a in activities.items() if a.limits.budget is not None},
        pools={name: pools for name, activity in activities.items() if (pools := _pools(activity))},
        codes={name: len(coupon.codes) for name, coupon in rules.coupons.items() if coupon.codes is not None},
        refresh={name: kept.refresh for name, kept in rules.kept.items() if kept.refresh is not None},
    )


def _pools(activity: Activity) -> tuple[str, ...]:
    trees = (parse(text).tree for text in activity.data_expressions())
    return tuple(sorted({tree.pool for tree in trees if isinstance(tree, Code)}))
