"""Where expressions and templates look items up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kairos.engine.catalog.item import key_text

Fields = Mapping[str, Any]
Items = Callable[[str, str, int], Fields | None]
"""Catalog, key and an instant (epoch ms) -> the item's fields; None: there is no such item.

A bounded run answers with what was known at that instant, a live job with what is known now.
"""


def no_items(_catalog: str, _key: str, _instant: int) -> Fields | None:
    return None


class ItemsThen:
    """The fields of each item over time, for a bounded run."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], list[int]] = {}
        self._fields: dict[tuple[str, str], list[Fields]] = {}

    def add(self, catalog: str, key: str, at: int, fields: Fields) -> None:
        """Notes what an item is from a time on. Calls come in order of time; of one instant the last one holds."""
        self._times.setdefault((catalog, key), []).append(at)
        self._fields.setdefault((catalog, key), []).append(fields)

    def close(self) -> None:
        """Does nothing: the items are in memory."""

    def __call__(self, catalog: str, key: str, instant: int) -> Fields | None:
        times = self._times.get((catalog, key), [])
        place = bisect_right(times, instant)
        return self._fields[catalog, key][place - 1] if place else None


class Shelf(Mapping[str, Any]):
    """A catalog as a template reads it: `products[product_id]`, whatever the key's type.

    `look`: key as text -> fields. `taken`: what was looked up and found, by the key's text.
    """

    def __init__(self, look: Callable[[str], Fields | None]) -> None:
        self._look = look
        self.taken: dict[str, Fields] = {}

    def look(self, text: str) -> Fields | None:
        fields = self._look(text)
        if fields is not None:
            self.taken[text] = fields
        return fields

    def __getitem__(self, key: Any) -> Fields:
        text = key_text(key)
        fields = None if text is None else self.look(text)
        if fields is None:
            raise KeyError(key)
        return fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.taken)

    def __len__(self) -> int:
        return len(self.taken)
