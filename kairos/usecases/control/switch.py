"""`kairos pause`, `resume`, `end`: the switch of activities, which the running job heeds without a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kairos.adapters.control.activity_states import ActivityStates, Standing
from kairos.adapters.control.database import Control
from kairos.adapters.rules.store import last_good, open_rule_store
from kairos.engine.rule.changes.switch import Position
from kairos.engine.rule.model import Activity, RuleSet, State
from kairos.engine.rule.text.report import nearest
from kairos.usecases.control.emergencies import reasons
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, NotThereError


class Which(msgspec.Struct, frozen=True):
    """The activities that are meant: by name, of a theme (the folder of their files), or all. A journey is one."""

    names: Sequence[str] = ()
    theme: str | None = None
    all: bool = False


class Turned(msgspec.Struct, frozen=True):
    """`standing` None: it was never turned. `by_file`: what its release says, if not live."""

    activity: str
    changed: bool
    standing: Standing | None
    by_file: State | None


def turn(store: str, which: Which, state: Position, actor: Actor, reason: str, now: int) -> list[Turned]:
    """Turns the switch of each; `now` in epoch ms, from which on it holds.

    What has ended stays so: it is published under another name. Raises NotAllowedError, RuleStoreError, NotThereError,
    AskError.
    """
    actor.need("switch")
    chosen = _chosen(_released(store), which)
    with Control(store) as control:
        states = ActivityStates(control)
        before = states.standing(now)
        ended = [name for name in which.names if name in before and before[name].state == "ended" != state]
        if ended:
            raise AskError(f"{', '.join(ended)}: has ended, and does not begin again; publish it under another name")
        unapproved = _unapproved(control, before, now) if state == "live" else set[str]()
        if held := sorted(unapproved & set(which.names)):
            raise AskError(f"{', '.join(held)}: was published in an emergency, and has to be approved first")
        names = [activity.name for activity in chosen if activity.name not in unapproved]
        changed = states.turn(names, state, actor.name, reason, now)
        after = states.standing(now)
    return [
        Turned(each.name, each.name in changed, after.get(each.name), None if each.state == "live" else each.state)
        for each in chosen
    ]


def _unapproved(control: Control, standing: Mapping[str, Standing], now: int) -> set[str]:
    """What pauses because nobody has approved it goes on when somebody has."""
    paused = [turn for turn in standing.values() if turn.state == "paused"]
    why = reasons(control, now) if paused else set()
    return {turn.activity for turn in paused if turn.reason in why}


def _released(store: str) -> RuleSet:
    release = last_good(open_rule_store(store))
    if release is None:
        what = "--store or --conf names the one that the running job reads"
        raise NotThereError(f"the rule store {store} has no release; {what}")
    return release.rules


def _chosen(rules: RuleSet, which: Which) -> list[Activity]:
    """In the order of their names."""
    wholes = {name: activity for name, activity in rules.activities.items() if activity.part in ("", "entry")}
    if sum((bool(which.names), which.theme is not None, which.all)) != 1:
        raise AskError("expected names of activities, --theme, or --all: one of these")
    unknown = [name for name in which.names if name not in wholes]
    if unknown:
        hint = nearest(unknown[0], wholes)
        raise NotThereError(f"the newest release has no activity {', '.join(unknown)}" + (f"; {hint}" if hint else ""))
    chosen = [
        activity
        for name, activity in sorted(wholes.items())
        if which.all or name in which.names or (which.theme is not None and activity.theme == which.theme)
    ]
    if not chosen:
        known = sorted({activity.theme for activity in wholes.values()} - {""})
        raise NotThereError(
            f"there is no activity of the theme '{which.theme}'; there are {', '.join(known) or 'none'}"
        )
    return chosen
