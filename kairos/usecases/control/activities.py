"""What activities there are, how they stand, and what is foreseen of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kairos.adapters.control.activity_states import ActivityStates, Standing
from kairos.adapters.control.database import Control
from kairos.adapters.rules.store import last_good, open_rule_store
from kairos.engine.rule.changes.switch import Position, stricter
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity, RuleSet, State
from kairos.engine.rule.release import activity_version
from kairos.usecases.errors import NotThereError
from kairos.usecases.rules.kept import KeptOf


class ActivityState(msgspec.Struct, frozen=True):
    """`state`: what counts now, of what its release says and of the switch. `by_file`: what the release says."""

    name: str
    title: str
    owner: str
    theme: str
    kind: str
    state: State
    by_file: State
    version: str
    channels: tuple[str, ...]
    switch: Standing | None
    foreseen: Standing | None


def activities(store: str, now: int) -> list[ActivityState]:
    """Those of the newest release, journeys as a whole, by name. Raises RuleStoreError."""
    rules = rules_of(store)
    with Control(store) as control:
        states = ActivityStates(control)
        standing, foreseen = states.standing(now), states.foreseen(now)
    parts, known = parts_of(rules), versions_of(rules)
    wholes = sorted((a for a in rules.activities.values() if a.part in ("", "entry")), key=lambda each: each.name)
    return [
        _state(each, parts[each.name], known[each.name], standing.get(each.name), foreseen.get(each.name))
        for each in wholes
    ]


def activity(store: str, name: str, now: int) -> ActivityState:
    """Raises NotThereError, RuleStoreError."""
    for each in activities(store, now):
        if each.name == name:
            return each
    raise NotThereError(f"the newest release has no activity '{name}'")


def _grouped(rules: RuleSet) -> Mapping[str, Sequence[Activity]]:
    found: dict[str, list[Activity]] = {}
    for name, each in rules.activities.items():
        found.setdefault(journey_of(name), []).append(each)
    return found


parts_of = KeptOf(_grouped)
"""Activity or journey -> the activities that it is recorded as."""
versions_of = KeptOf(lambda rules: {name: activity_version(each) for name, each in rules.activities.items()})
"""Activity -> its version."""


def rules_of(store: str) -> RuleSet:
    """Of the newest release; empty where there is none. Raises RuleStoreError."""
    release = last_good(open_rule_store(store))
    return release.rules if release is not None else RuleSet()


def _state(
    each: Activity, parts: Sequence[Activity], version: str, stands: Standing | None, foreseen: Standing | None
) -> ActivityState:
    turned: Position = stands.state if stands is not None else "live"
    return ActivityState(
        each.name,
        each.title,
        each.owner,
        each.theme,
        "journey" if each.part == "entry" else "watch" if not each.sends else "activity",
        stricter(turned, each.state),
        each.state,
        version,
        tuple(dict.fromkeys(send.channel for part in parts for send in part.sends)),
        stands,
        foreseen,
    )
