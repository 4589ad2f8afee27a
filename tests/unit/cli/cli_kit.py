"""The `kairos` command as tests call it, and a small rule folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from kairos.apps.cli import app

START = 1_763_778_000_000  # 2025-11-22T02:20:00Z
MINUTE = 60_000
SOURCES = """shop:
  events:
    order_created: {order_id: string!, amount: number!}
    order_paid: {order_id: string!}
"""
UNPAID = """activity: order_unpaid
state: draft
trigger:
  per: order_id
  pattern:
    - event: order_created
      as: order
      where: amount >= 50
    - absent: order_paid
  within: 10m
data: {order_id: order.order_id}
send:
  - {channel: sms, template: unpaid}
"""
EXAMPLES = """start: 2026-11-02T12:00
tests:
  - name: paying in time cancels
    events:
      - {at: 0s, order_created: {user_id: u1, order_id: o1, amount: 80}}
      - {at: 9m59s, order_paid: {user_id: u1, order_id: o1}}
    expect: []
  - name: the reminder
    events: [{at: 0s, order_created: {user_id: u1, order_id: o1, amount: 80}}]
    expect: [{at: 10m, outcome: send, channel: sms, data: {order_id: o1}}]
"""
TEMPLATE = "Your order {{ order_id }} waits.\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def break_rules(rules: Path) -> None:
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(path.read_text().replace("where: amount", "where: amout"))


def order(number: int, at: int, user: str = "u1", kind: str = "order_created", **more: Any) -> dict[str, Any]:
    props = {"order_id": f"o{number}", "amount": 80} if kind == "order_created" else {"order_id": f"o{number}"}
    event_id = f"{kind}{number}"
    return {"id": event_id, "type": kind, "user_id": user, "time": START + at, "source": "shop", "props": props, **more}


def write_events(tmp_path: Path, *events: dict[str, Any] | str) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in events))
    return path


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]
