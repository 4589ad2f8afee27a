"""What the paths of a workflow may ask about something that is to be approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kairos.engine.expression import Names, parse
from kairos.engine.expression.scope import Facts
from kairos.engine.rule.model import Activity
from kairos.engine.rule.workflow.spec import Path, Workflow

NAMES: Mapping[str, str] = {
    "activity": "string",
    "theme": "string",
    "owner": "string",
    "state": "string",
    "priority": "integer",
    "service": "boolean",
    "channel": "string",
    "quiet_hours": "string",
    "caps": "list",
    "reach": "integer",
    "cost": "number",
    "is_new": "boolean",
    "is_watch": "boolean",
    "is_journey": "boolean",
    "control_removed": "boolean",
    "policy_changed": "boolean",
}
"""Name -> type. `channel` is each of the channels in turn."""

EVERYBODY = 2**53
"""As `reach` of a schedule nobody has counted."""


def names() -> Names:
    return Names(props=dict(NAMES), event=False, state=False)


def facts_of_activity(
    before: Activity | None, parts: list[Activity], reach: int | None, *, policy_changed: bool
) -> Iterator[dict[str, Any]]:
    """For each channel. `parts`: the activity, or a journey's entry and after it its messages."""
    whole, sends = parts[0], [send for part in parts for send in part.sends]
    if reach is None:
        reach = whole.limits.budget if whole.schedule is None else EVERYBODY
    known = {
        "activity": whole.name,
        "theme": whole.theme,
        "owner": whole.owner,
        "state": whole.state,
        "priority": whole.priority,
        "service": whole.service,
        "quiet_hours": whole.limits.quiet_hours,
        "caps": list(whole.limits.caps),
        "reach": reach,
        "cost": None,
        "is_new": before is None,
        "is_watch": not sends,
        "is_journey": whole.part == "entry",
        "control_removed": before is not None and None is whole.audience.control is not before.audience.control,
        "policy_changed": policy_changed,
    }
    for channel in dict.fromkeys(send.channel for send in sends) or (None,):
        yield {**known, "channel": channel}


def facts_of_file() -> Iterator[dict[str, Any]]:
    """Of what all activities share: policy.yaml, workflow.yaml and the like."""
    yield {**dict.fromkeys(NAMES), "policy_changed": True, "caps": None, "is_watch": False}


def path_of(workflow: Workflow, facts: list[dict[str, Any]]) -> tuple[str, ...]:
    """The steps of the first path that is true of any of the facts; all steps where none is."""
    for path in workflow.paths:
        if any(_holds(path, each) for each in facts):
            return path.then
    return tuple(workflow.steps)


def _holds(path: Path, facts: dict[str, Any]) -> bool:
    return path.when is None or parse(path.when).predicate()(Facts(props=facts))
