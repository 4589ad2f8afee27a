"""The topics by name: what the job reads, and what it and the processes around it write.

`kafka.prefix` stands before all names but those of events, which are named after their source alone.
"""

from __future__ import annotations

import re

from kairos.engine.event import KAIROS

EVENTS = "events."
"""Each source has a topic of its own: `events.<source>`."""
RECEIPTS = "receipts"
DECISIONS = "decisions"
DELIVERIES = "deliveries."
"""Each channel has a topic of its own: `deliveries.<channel>`."""
CROWDS = "crowds"
"""Which snapshot of each kept crowd everybody sees: a record a snapshot, keyed by the crowd."""
DEAD_LETTERS = "dead-letters"
"""Of the job, the gateway and the bridges. Each channel's workers have their own: `dead-letters.<channel>`."""

HEARTBEAT = b'{"type":"heartbeat"}'
"""The value of a heartbeat record. Its key is null, and its timestamp is the time that it tells."""


def events_topic(source: str) -> str:
    return EVENTS + source


def deliveries_topic(channel: str) -> str:
    return DELIVERIES + channel


def letters_topic(channel: str) -> str:
    return f"{DEAD_LETTERS}.{channel}"


def channel_of_letters(topic: str) -> str | None:
    """Whose dead letters are in this topic, or file of that name. None: the job's, the gateway's and the bridges'."""
    return None if topic == DEAD_LETTERS else topic.removeprefix(f"{DEAD_LETTERS}.")


def holds_letters(topic: str) -> bool:
    return topic == DEAD_LETTERS or topic.startswith(f"{DEAD_LETTERS}.")


def read_by_job(prefix: str) -> str:
    """The pattern of what the job reads where its configuration names nothing else: all events, and the receipts."""
    return rf"{re.escape(EVENTS)}.*|{re.escape(prefix)}{RECEIPTS}"


def written_by_job(prefix: str) -> str:
    """The pattern of everything that the job may write."""
    own = f"{re.escape(prefix)}({DECISIONS}|{DEAD_LETTERS}|{RECEIPTS}|{re.escape(DELIVERIES)}.+)"
    return f"{own}|{re.escape(events_topic(KAIROS))}"
