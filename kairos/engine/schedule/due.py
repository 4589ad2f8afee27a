"""`schedule.due`: the event with which a slot comes to a user. Its id makes it the same, however often it is told."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from kairos.engine.event import DUE, KAIROS, MAX_ID, Event

Instead = Literal["expired", "paused"]


def due_event(activity: str, slot: str, user_id: str, at: int, instead: Instead | None = None) -> Event:
    """`instead` of a message: the slot could not be kept in time, or the run was stopped. That is decided and counted
    like everything else."""
    props: dict[str, Any] = {"activity": activity, "slot": slot}
    if instead is not None:
        props["instead"] = instead
    return Event(due_id(activity, slot, user_id), DUE, at, KAIROS, props, user_id)


def line_of(event: Event) -> bytes:
    """Its envelope, as it stands in a topic or a file."""
    return msgspec.json.encode(
        {
            "id": event.id, "type": event.type, "user_id": event.user_id, "time": event.time, "source": event.source,
            "props": event.props,
        }
    )  # fmt: skip


def due_id(activity: str, slot: str, user_id: str) -> str:
    """`sched/<activity>/<slot>/<user>`; where that is longer than an id may be, a digest stands for the user."""
    return id_about(f"sched/{activity}/{slot}", user_id)


def id_about(what: str, user_id: str) -> str:
    """`<what>/<user>`, and a digest for the user where that is longer than an id may be."""
    whole = f"{what}/{user_id}"
    if len(whole.encode("utf-8", "surrogatepass")) <= MAX_ID:
        return whole
    return f"{what}/{hashlib.blake2b(user_id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
