"""The story of the golden savepoint: what happens before it, what after, and under which rules.

Times are fixed, and so are the order of records and the topics, which are named after the state's version: a savepoint
holds offsets, so whoever resumes from it writes the first half again, record for record, before the second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.job import MINUTE, PARTITIONS, LiveJob, event
from harness.rules import THIRD, UNPAID, write_rules

HOUR = 60 * MINUTE
DECIDED_BEFORE, DECIDED_AFTER = 5, 9
START = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)
"""20:00 in Shanghai."""
STOP = START + 3 * HOUR
"""The watermark of the savepoint: 23:00 in Shanghai."""
MORNING = START + 12 * HOUR
"""08:00 in Shanghai."""

HELD = """
    activity: held
    state: live
    trigger: {event: signup}
    limits: {quiet_hours: hold}
    send: [{channel: sms, template: unpaid}]
    data: {order_id: order_id}
"""
LIMITED = """
    activity: limited
    state: live
    trigger: {event: visit}
    limits: {caps: [daily], budget: {sends: 3}}
    send: [{channel: webhook, template: unpaid}]
    data: {order_id: order_id}
"""
FALLBACK = """
    activity: fallback
    state: live
    trigger: {event: ask}
    limits: {send_before: 6h}
    send:
      - {channel: webhook, template: unpaid}
      - {channel: console, template: unpaid, after: 2h}
    data: {order_id: order_id}
    goal: {event: thanks, within: 1d}
"""
BUSY = """
    activity: busy
    state: live
    trigger: {event: login, where: metric.views >= 3}
"""
POLICY = """
timezone: Asia/Shanghai
quiet_hours: {from: "22:00", to: "08:00"}
caps:
  daily: {rules: [{max: 1, per: 1d}], on_exceed: drop}
"""
METRICS = "views: {count: view, window: 30d}\n"


def rules_in(folder: Path) -> Path:
    write_rules(folder, third_view=THIRD, unpaid=UNPAID, held=HELD, limited=LIMITED, fallback=FALLBACK, busy=BUSY)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "metrics.yaml").write_text(METRICS)
    return folder


def receipts_of(name: str) -> str:
    return f"{name}.receipts"


def beat(job: LiveJob, time_ms: int) -> None:
    """Says in every partition of both topics that all before this time has been written."""
    job.beat(time_ms)
    for partition in range(PARTITIONS):
        job.topics.send_raw(receipts_of(job.name), None, b'{"type":"heartbeat"}', time_ms, partition)
    job.topics.flush()


def before(job: LiveJob) -> None:
    """Two of three views, an order about to be forgotten, a message held for the night, a used cap, half a budget."""
    job.send(
        *(event("viewer", "view", STOP - n * MINUTE) for n in (2, 1)),
        event("buyer", "order_created", STOP - 5 * MINUTE, order_id="o1"),
        event("payer", "order_created", STOP - 5 * MINUTE, order_id="o2"),
        event("sleeper", "signup", START + 170 * MINUTE, order_id="o3"),
        *(event(user, "visit", START + 60 * MINUTE, order_id="o4") for user in ("guest1", "guest2")),
        event("asker", "ask", START + 120 * MINUTE, order_id="o5"),
        event("grateful", "ask", START + 120 * MINUTE, order_id="o6"),
    )
    beat(job, STOP)


def receipts(job: LiveJob, decided: list[dict[str, Any]]) -> None:
    """The two messages of `fallback` went, and nobody has confirmed them yet."""
    for sent in decided:
        if sent["activity"] == "fallback":
            props = {"activity": "fallback", "occurrence": sent["occurrence"], "attempt": 1, "channel": sent["channel"]}
            time = START + 121 * MINUTE
            one = {"type": "receipt", "user_id": sent["user_id"], "time": time, "props": props | {"status": "sent"}}
            job.topics.send(receipts_of(job.name), one)


def after(job: LiveJob) -> None:
    """What was open comes to its end, and what was remembered is remembered."""
    job.send(
        event("viewer", "view", STOP - MINUTE),  # a repetition: the savepoint knows it
        event("viewer", "login", STOP + MINUTE),
        event("viewer", "view", STOP + 2 * MINUTE),
        event("payer", "order_paid", STOP + 3 * MINUTE, order_id="o2"),
        event("guest1", "visit", STOP + 3 * MINUTE, order_id="o7"),
        event("guest3", "visit", STOP + 3 * MINUTE, order_id="o8"),
        event("guest4", "visit", STOP + 4 * MINUTE, order_id="o9"),
        event("grateful", "thanks", STOP + 4 * MINUTE),
        event("viewer", "login", STOP + 5 * MINUTE),
    )
    beat(job, MORNING + MINUTE)
