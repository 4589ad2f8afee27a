"""Which definition of an activity takes a user's open matches on, after a release has changed it (`on_change`)."""

from __future__ import annotations

from kairos.engine.rule.changes.origin import shape_of
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.handlers import draining_key
from kairos.engine.user.ends import next_decided
from kairos.engine.user.moment import Instant
from kairos.engine.user.state import ActivityRuns


def runs_key(program: Program, activity: CompiledActivity) -> str:
    """Where the runs of an activity are kept: a draining definition has a place of its own beside the new one."""
    return draining_key(activity) if program.draining.get(activity.version) is activity else activity.name


def activity_of(program: Program, key: str) -> CompiledActivity | None:
    name, _, version = key.partition("@")
    return program.draining.get(version) if version else program.activities.get(name)


def heir_of(program: Program, key: str, runs_of: ActivityRuns) -> CompiledActivity | None:
    """The definition that takes these runs on at their user's next touch; None: they are dropped.

    Runs of an older version go to that version where it drains, else to the new one, unless that restarts or has
    another shape.
    """
    activity = activity_of(program, key)
    if activity is None or activity.origin == runs_of.origin or activity.version == runs_of.version:
        return activity
    if runs_of.version in program.draining:
        return program.draining[runs_of.version]
    kept = activity.spec.on_change != "restart" and runs_of.shape == shape_of(activity.origin)
    return activity if kept else None


def current_runs(instant: Instant, key: str, activity: CompiledActivity) -> ActivityRuns | None:
    """The runs under `key`, after what `on_change` says has been done to those of an older version."""
    runs = instant.state.runs
    latest = runs.get(activity.name)
    if latest is not None and (latest.origin != activity.origin or key != activity.name):
        hand_over(instant, activity.name, latest)
    return runs.get(key)


def hand_over(instant: Instant, name: str, runs_of: ActivityRuns) -> None:
    """Move, adopt or drop the runs under an activity's name, if it is not the current version that made them."""
    runs = instant.state.runs
    heir = heir_of(instant.program, name, runs_of)
    if heir is None:
        del runs[name]
        instant.surroundings.counters["runs_restarted"] += 1
    elif (key := runs_key(instant.program, heir)) != name:
        runs[key] = runs.pop(name)
    elif runs_of.origin != heir.origin:
        runs_of.origin = heir.origin
        instant.state.wake_by(next_decided(runs_of, heir.matcher))
