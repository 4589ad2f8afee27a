"""Every activity: how it stands, what it sends beside what is usual, where most is lost, what it brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kairos.adapters.settings.seen import load as load_seen
from kairos.apps.api.endpoint import Call
from kairos.apps.console.firing import firing
from kairos.apps.console.measured import lately_of, lifts_are_known, lifts_of
from kairos.apps.console.screen import ConsoleParts, Problems, Screen, Values
from kairos.apps.page import effects
from kairos.apps.page.svg import Range
from kairos.apps.page.verdict import LABELS
from kairos.engine.alarm.spec import Change
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control.activities import ActivityState, activities, rules_of
from kairos.usecases.results.sends import Lately, Sends

FILTERS = ("theme", "owner", "channel", "state")
_UNKNOWN = frozenset({"too_few", "unsound"})


def _values(parts: ConsoleParts, call: Call) -> Values:
    rules, every = rules_of(parts.store), activities(parts.store, call.now)
    problems = Problems()
    alarms = problems.tried(lambda: firing(load_seen(parts.conf).alarms.state), [])
    lately = problems.tried(lambda: lately_of(parts), Lately(None, {}))
    lifts = problems.tried(lambda: _lifts(parts, rules, wanted=bool(call.query["effects"])), {})
    sound = [row for row in (lifts or {}).values() if row["status"] not in _UNKNOWN]
    scale = effects.scale_of(sound)
    chosen = [each for each in every if _wanted(each, call.query)]
    return {
        "rows": [_row(each, lately.of.get(each.name, Sends()), lifts, scale, alarms) for each in chosen],
        "some": bool(every),
        "choices": {name: _choices(every, name) for name in FILTERS},
        "as_of": lately.as_of,
        "pending": lifts is None,
        "problems": problems,
        "zone": rules.policy.timezone,
        "command": "kairos report",
    }


def _lifts(parts: ConsoleParts, rules: RuleSet, *, wanted: bool) -> Mapping[str, Any] | None:
    """Activity -> its row. None: they take a while, and were not asked for yet."""
    return lifts_of(parts, rules) if wanted or lifts_are_known(parts, rules) else None


def _wanted(activity: ActivityState, query: Mapping[str, str]) -> bool:
    return all(not query[name] or query[name] in _values_of(activity, name) for name in FILTERS)


def _values_of(activity: ActivityState, name: str) -> tuple[str, ...]:
    return activity.channels if name == "channel" else (getattr(activity, name),)


def _choices(every: list[ActivityState], name: str) -> list[str]:
    return sorted({value for each in every for value in _values_of(each, name)} - {""})


def _row(
    activity: ActivityState, sends: Sends, lifts: Mapping[str, Any] | None, scale: Range, alarms: Sequence[Change]
) -> Mapping[str, Any]:
    lift = (lifts or {}).get(activity.name)
    return {
        "activity": activity,
        "sends": sends,
        "alarms": [each for each in alarms if journey_of(each.subject) == activity.name],
        "unusual": sends.usual is not None and not sends.usual[0] <= sends.today <= sends.usual[1],
        "lift": lift,
        "label": LABELS[lift["status"]] if lift is not None else "",
        "picture": effects.effect(lift, scale) if lift is not None else "",
    }


SCREEN = Screen("/", "activities", _values, (*FILTERS, "effects"), menu=True, slow=("effects",))
