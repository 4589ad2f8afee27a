"""alarms.yaml becomes alarms."""

from __future__ import annotations

from datetime import date

from kairos.engine.alarm.kinds import KINDS
from kairos.engine.alarm.spec import Alarm, Alarms
from kairos.engine.rule.fields.reading.value import Value

SUBJECTS = {"activity": "activities", "crowd": "crowds", "pool": "pools"}
"""What the subjects of an alarm are -> the key that names them."""


def lower_alarms(value: Value) -> Alarms:
    """The value is whole: nothing of it is broken. What is built in is there unless it is turned off."""
    alarms = {name: Alarm(name) for name in KINDS}
    entries = value.find("alarms")
    for name, entry in entries.items() if entries else ():
        alarms.pop(name, None)
        if entry.plain("enabled"):
            alarms[name] = _alarm(name, entry)
    days = tuple(date.fromisoformat(day) for day in value.plain("holidays"))
    return Alarms(alarms, days, tuple(value.plain("send_to")))


def _alarm(name: str, entry: Value) -> Alarm:
    kind = entry.plain("kind") or name
    subjects = entry.plain(SUBJECTS[KINDS[kind].label]) or ()
    channels, send_to = entry.plain("channels") or (), entry.plain("send_to") or ()
    z, limit, severity = (entry.plain(key) for key in ("z", "limit", "severity"))
    return Alarm(kind, tuple(subjects), tuple(channels), z, limit, severity, tuple(send_to))
