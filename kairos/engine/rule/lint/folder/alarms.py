"""alarms.yaml: alarms that are of no kind, names that do not exist, keys that say nothing of their kind, days."""

from __future__ import annotations

from datetime import date

from kairos.engine.alarm.kinds import KINDS, Kind
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.alarms import SUBJECTS
from kairos.engine.rule.text.report import Report, listed, nearest

_OF = {"z": ("count", "share"), "limit": ("stock", "age")}
"""Key -> the rules for which it says anything."""


def check_alarms(value: Value, activities: frozenset[str] | None, world: World, report: Report) -> None:
    """`activities`: every name that may be meant; None: any, for a file could not be read."""
    for day in _each(value, "holidays"):
        try:
            date.fromisoformat(day.data)
        except ValueError:
            report.error(day.node, "bad-date", f"holidays: there is no day {day.data}", "2026-12-25")
    entries = value.find("alarms")
    for name, entry in entries.items() if entries else ():
        kind = entry.plain("kind") or name
        if kind in KINDS:
            _check_keys(entry, kind, KINDS[kind], report)
        elif "kind" not in entry.keys:
            assert entries is not None
            hint = nearest(name, KINDS) or "kind: says which built-in alarm it is as"
            message = f"no alarm '{name}' is built in: there are {listed(KINDS, 'and')}"
            report.error(entries.keys[name], "unknown-alarm", message, hint)
        known = {
            "activities": (activities, "activity", "activities/"),
            "crowds": (world.crowd_names, "crowd", "crowds.yaml"),
            "pools": (world.coupon_names, "coupon", "coupons.yaml"),
        }
        for key, (names, what, file) in known.items():
            for each in _each(entry, key):
                check_name(each, key, what, names, report, file)


def _check_keys(entry: Value, name: str, kind: Kind, report: Report) -> None:
    for key, rules in _OF.items():
        if key in entry.keys and kind.rule not in rules:
            _says_nothing(entry, key, name, report)
    for label, key in SUBJECTS.items():
        if key in entry.keys and (label != kind.label or (label == "activity" and "activity" not in kind.by)):
            _says_nothing(entry, key, name, report)
    if "channels" in entry.keys and "channel" not in kind.by:
        _says_nothing(entry, "channels", name, report)


def _says_nothing(entry: Value, key: str, name: str, report: Report) -> None:
    report.error(entry.keys[key], "wrong-form", f"'{key}' says nothing of {name}")


def _each(value: Value, key: str) -> list[Value]:
    found = value.find(key)
    return found.each() if found is not None else []
