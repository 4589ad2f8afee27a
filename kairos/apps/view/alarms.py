"""An alarm as a line."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from kairos.adapters.alarms.receiver import title_of
from kairos.apps.view.terminal import escape, fitted
from kairos.engine.alarm.spec import Change


def line_of(change: Change, zone: ZoneInfo) -> str:
    """`2026-11-02 12:02  SendsStopped: hello by sms  messages: none for 2 min, ...  docs/runbooks/SendsStopped.md`"""
    moment = datetime.fromtimestamp(change.at / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
    rest = f"  {change.text}  {change.runbook}" if change.firing else ""
    return fitted(escape(f"{moment}  {title_of(change)}{rest}"), hang=18)
