"""Rule folders for tests of the job: small, written anew for each."""

from __future__ import annotations

import textwrap
from pathlib import Path

UNPAID = """
    activity: unpaid
    state: live
    trigger:
      per: order_id
      pattern:
        - {event: order_created, as: order}
        - {absent: order_paid}
      within: 10m
    send: [{channel: webhook, template: unpaid}]
    data: {order_id: order.order_id}
"""

THIRD = """
    activity: third_view
    state: live
    trigger: {count: view, times: 3, within: 5m}
"""

SCRIPTED = """
    activity: scripted
    state: live
    trigger: {event: view, where: {js: "event.props.order_id == 'o1'"}}
"""

PROMOTION = """
    activity: promotion
    state: live
    trigger: {event: view}
    limits: {once: 10m, budget: {sends: 12}}
    send:
      - {channel: webhook, template: unpaid}
      - {channel: console, template: unpaid, after: 5m}
    data: {order_id: order_id}
"""


def watch(name: str, event: str) -> str:
    return f"""
        activity: {name}
        state: live
        trigger: {{event: {event}}}
    """


def write_rules(folder: Path, **activities: str) -> Path:
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    for channel in ("webhook", "console", "sms"):
        (folder / "templates" / f"unpaid.{channel}.liquid").write_text("{{ order_id }}\n")
    for name, text in activities.items():
        write_activity(folder, name, text)
    return folder


def write_activity(folder: Path, name: str, text: str) -> None:
    """As an editor saves: readers see the old file or the new one."""
    file = folder / "activities" / "test" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(textwrap.dedent(text).lstrip())
    draft.replace(file)
