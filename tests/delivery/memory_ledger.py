"""The ledger in a dict: what a database does."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.adapters.delivery.ledger import Call, Change, Row, settle


class MemoryLedger:
    """`calls` by (key, number)."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.calls: dict[tuple[str, int], Call] = {}

    def apply(self, changes: Sequence[Change]) -> list[Row | None]:
        results, written, calls = settle(dict(self.rows), changes)
        self.rows.update(written)
        self.calls.update({(call.key, call.number): call for call in calls})
        return results

    def find(self, key: str) -> Row | None:
        return self.rows.get(key)

    def find_by_provider(self, channel: str, provider_id: str) -> Row | None:
        named = (r for r in self.rows.values() if (r.channel, r.provider_id) == (channel, provider_id))
        return next(named, None)
