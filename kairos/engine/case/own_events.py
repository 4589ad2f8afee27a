"""What Kairos did becomes an event of its user: messages that went, arrived, were clicked or failed, and met goals.

Nothing of it comes in as a record: a receipt, or a send that counts as delivered at once, is where it begins. It is an
event of the instant in which it is known, after the gates, and what it completes is decided in that instant.
"""

from __future__ import annotations

from typing import Any

from kairos.engine.decision import Record
from kairos.engine.event import JOURNEY_STEP, KAIROS, Event
from kairos.engine.rule.journey import is_part
from kairos.engine.rule.reads.followed import follows
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant

_IMPLIED = {
    "sent": ("sent",),
    "delivered": ("sent", "delivered"),
    "read": ("sent", "delivered", "read"),
    "clicked": ("sent", "delivered", "read", "clicked"),
    "failed": ("failed",),
}
"""Receipt -> what is then known to have happened, in this order. Other receipts are no events."""
_BITS = {status: 1 << n for n, status in enumerate(("sent", "delivered", "read", "clicked", "failed"))}


def listen(instant: Instant, case: Case, record: Record) -> None:
    """Keep what the events of the attempt that has just been decided will say, where anybody listens to them. Of a
    shadow there is nothing to hear.
    """
    if instant.live is None and follows(instant.program.followed, case.activity):
        case.listen(record.variant, record.data)


def events_of_receipt(instant: Instant, case: Case, attempt: int, status: str) -> list[Event]:
    """The events of a receipt and of those that it implies, each at most once an attempt."""
    events: list[Event] = [*event_of_step(instant, case, status)]
    told = next((told for told in case.told if told.attempt == attempt), None)
    if told is None:
        return events
    own = {"occurrence": case.occurrence, "attempt": attempt, "channel": told.channel, "variant": told.variant}
    props = {**told.data, "activity": case.activity, **own}
    for implied in _IMPLIED.get(status, ()):
        if told.tell(_BITS[implied]):
            event_id = f"{case.activity}/{case.occurrence}/{attempt}/{implied}"
            events += _event(instant, event_id, f"message.{implied}", dict(props), _BITS[implied])
    return events


def event_of_step(instant: Instant, case: Case, status: str) -> list[Event]:
    """To the journey that the case is a message or the entry of: a receipt's status, ENTERED or OVER."""
    return [step_event(instant, case.activity, case.occurrence, status)] if is_part(case.activity) else []


def step_event(instant: Instant, activity: str, occurrence: str, status: str) -> Event:
    props = {"activity": activity, "occurrence": occurrence, "status": status}
    return Event("", JOURNEY_STEP, instant.now, KAIROS, props, instant.user_id)


def is_about(event: Event, case: Case) -> bool:
    """Whether one of these events tells of this case's messages."""
    return (event.props["activity"], event.props["occurrence"]) == (case.activity, case.occurrence)


def events_of_goal(instant: Instant, case: Case, record: Record) -> list[Event]:
    own = {"occurrence": case.occurrence, "attempt": case.attempt or None, "channel": record.channel}
    props = {**record.data, "activity": case.activity, **own, "variant": record.variant, "value": record.value}
    return _event(instant, f"{case.activity}/{case.occurrence}/goal", "message.goal", props, 0)


def _event(instant: Instant, event_id: str, event_type: str, props: dict[str, Any], seq: int) -> list[Event]:
    """None, where nothing is interested in events of this type, and of a shadow."""
    if instant.live is not None or event_type not in instant.program.heard:
        return []
    return [Event(event_id, event_type, instant.now, KAIROS, props, instant.user_id, False, seq)]
