"""The trace that an event begins, and that the message in its wake goes on with.

It is worked out of the event's id, so nothing has to carry it through the job, and a repetition has the same one.
"""

from __future__ import annotations

import hashlib

from kairos.engine.decision import Record


def trace_of_event(user_id: str, event_id: str) -> str:
    """32 hex digits."""
    return hashlib.blake2b(f"{user_id}\0{event_id}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def trace_of_decision(record: Record) -> str:
    """That of the newest event that was matched; "": it has none."""
    matched = [ids[-1] for ids in record.steps.values() if ids]
    return trace_of_event(record.user_id, matched[-1]) if matched else ""
