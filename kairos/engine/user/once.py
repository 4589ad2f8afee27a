"""Under which key a user's last send of an activity is remembered, for `limits.once`."""

from __future__ import annotations

from kairos.engine.metric.key import value_key
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.model import OncePer
from kairos.engine.user.case import Case


def once_key(activity: CompiledActivity, case: Case) -> str:
    """The key under which the last send is remembered: the activity, and with `once: {per: ...}` a value of the
    case."""
    limit = activity.spec.limits.once
    if not isinstance(limit, OncePer):
        return activity.name
    if limit.per == activity.spec.pattern.per:
        return f"{activity.name}/{case.part}"
    last = max((event for events in case.steps.values() for event in events), key=lambda event: event.order)
    return f"{activity.name}/{value_key(last.props.get(limit.per))}"


def activity_of_key(key: str) -> str:
    return key.partition("/")[0]
