"""Receipts that are known beforehand: in a file, the input itself says what became of a send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kairos.engine.event import RECEIPT, Event
from kairos.engine.user.case import Case


class ExpectedReceipts:
    """`Moment.awaits_receipt` for bounded input: a send that none of the receipts can speak of is delivered at once."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._receipts: defaultdict[tuple[str, Any], list[Event]] = defaultdict(list)
        self.add(events)

    def add(self, events: Iterable[Event]) -> None:
        """Notes a receipt; events of other types are ignored."""
        for event in events:
            if event.type == RECEIPT:
                activity = event.props.get("activity")
                if isinstance(activity, str):
                    self._receipts[event.user_id, activity].append(event)

    def __call__(self, user_id: str, case: Case, sent_at: int) -> bool:
        return any(
            receipt.time >= sent_at
            and receipt.props.get("occurrence") in (None, case.occurrence)
            and receipt.props.get("channel") in (None, case.channel)
            for receipt in self._receipts.get((user_id, case.activity), ())
        )
