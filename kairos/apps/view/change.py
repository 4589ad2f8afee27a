"""The plan of a release: what changes, and what becomes of what runs now."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from kairos.apps.view.terminal import count, escape, paint
from kairos.engine.rule.changes.change import ActivityChange, Change, MetricStart
from kairos.engine.rule.changes.succession import Seeding
from kairos.engine.rule.release import Release

People = Mapping[str, Counter[str]]
"""Journey -> key of a step -> people who wait there."""

_SIGNS = {"new": ("+", "added"), "changed": ("~", "warning"), "removed": ("-", "removed")}


def show_seeding(seeding: Seeding) -> None:
    for key, users in seeding.seeds.items():
        name = key.partition("@")[0]
        sys.stdout.write(
            f"  metric {name}: seeded for {count(len(users), 'user')}, events since {_utc(seeding.since)}\n"
        )


def show_change(plan: Change, previous: Release | None, people: People) -> None:
    write = sys.stdout.write
    after = f"after release {previous.number}" if previous else "the first"
    write(f"release {plan.release.number}, {after}\n")
    for change in plan.changes:
        write(_tell_change(change) + "\n")
        for line in _tell_steps(change, people.get(change.activity)):
            write(f"      {line}\n")
    for other in plan.others:
        write(f"  ~ {other}\n")
    for metric in plan.metrics:
        write(f"  {_tell_metric(metric)}\n")
    activities = plan.release.rules.activities.values()
    if activities and not plan.empty and all(activity.state != "live" for activity in activities):
        write("  no activity is live: this release contacts nobody until one of them says `state: live`\n")
    for refusal in plan.refusals:
        write(paint(f"  refused: {refusal}", "error", sys.stdout) + "\n")
    if plan.cold:
        write("    --seed EVENTS starts them from past events; --accept-cold lets them count from now on\n")


def _tell_change(change: ActivityChange) -> str:
    sign, style = _SIGNS[change.kind]
    fields = f" ({'; '.join(change.fields)})" if change.fields else ""
    head = paint(f"  {sign} {change.activity}", style, sys.stdout) + f": {change.kind}{escape(fields)}"
    return head if change.kind == "new" else f"{head}\n      matches in flight: {change.in_flight}"


def _tell_steps(change: ActivityChange, people: Counter[str] | None) -> Iterator[str]:
    """The steps of a journey that differ, how many people wait at each, and what becomes of them."""
    for step in change.touched:
        waiting = "" if people is None else f", {count(people[step.key], 'person', 'people')} there"
        yield f"step {step.key}: {step.kind}{waiting}: {step.becomes}"


def _tell_metric(metric: MetricStart) -> str:
    complete = f"complete from {_utc(metric.complete_from)}" if metric.complete_from else "complete only when seeded"
    readers = f"; read by {', '.join(metric.readers)}" if metric.readers else ""
    return f"metric {metric.metric}: counts since {_utc(metric.since)}, {complete}{readers}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
