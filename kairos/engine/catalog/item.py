"""One item of a catalog: its fields, who follows it, and what of its changes they are told.

Words about an item come from events; they are applied in the order of event time, all of one instant together: first
who follows from then on, then what the item is. The job keeps an `Item` in keyed state, a bounded run in a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import msgspec

from kairos.engine.catalog.spec import WAS, Catalog
from kairos.engine.event import CATALOG_ITEM, Event
from kairos.engine.source.schema import FITS

UNUSED = {
    "catalog_cut": "followers beyond `max_followers`, who will hear of no change",
    "catalog_unknown": "events catalog.item of no catalog, or without its key",
    "catalog_unfit": "values of catalog.item that are not of their field's type",
    "catalog_late": "events catalog.item older than what the item is made of",
}
"""What is counted that comes to nothing -> in words."""

HOUR = 3_600_000
MOST_KEYS = 100
"""Items that one event may name in a list."""


class Follow(msgspec.Struct, tag=True, array_like=True):
    """The user follows the item until `until` (epoch ms, no longer at that instant). `most`: followers of the item."""

    at: int
    user_id: str
    until: int
    most: int


class Load(msgspec.Struct, tag=True, array_like=True):
    """What an event says the item is. `key`: the prop that names it, and its value. `order`: of the event, among those
    of one instant."""

    at: int
    key: dict[str, Any]
    fields: dict[str, Any]
    order: tuple[str, int, str] = ("", 0, "")


Word = Follow | Load


class Item(msgspec.Struct, array_like=True):
    """`fields` None: nobody has loaded it. `loaded_at`: the newest event it is made of. `followers`: how many are kept.

    `swept_at`: when those were last looked through whose time is over.
    """

    key: dict[str, Any] = {}
    fields: dict[str, Any] | None = None
    loaded_at: int = 0
    followers: int = 0
    swept_at: int = 0


class Followers(Protocol):
    """User id -> until when, epoch ms."""

    def get(self, user_id: str, /) -> int | None: ...
    def __setitem__(self, user_id: str, until: int, /) -> None: ...
    def __delitem__(self, user_id: str, /) -> None: ...
    def items(self) -> Iterable[tuple[str, int]]: ...


class Change(NamedTuple):
    """`before`: the fields as they were."""

    at: int
    key: dict[str, Any]
    fields: dict[str, Any]
    before: dict[str, Any]


class Named(NamedTuple):
    """A word, and the item that it is about."""

    catalog: str
    key: str
    word: Word


def words_of(catalogs: Mapping[str, Catalog], event: Event, count: MutableMapping[str, int]) -> list[Named]:
    """What the event says, of which items. `count` hears of what cannot be used (UNUSED)."""
    if event.type == CATALOG_ITEM:
        return _loaded(catalogs, event, count)
    found: list[Named] = []
    for name, catalog in catalogs.items():
        span = catalog.follow.get(event.type)
        if span is not None:
            word = Follow(event.time, event.user_id, event.time + span, catalog.max_followers)
            found += [Named(name, key, word) for key in _keys(event.props.get(catalog.key))]
    return found


def _loaded(catalogs: Mapping[str, Catalog], event: Event, count: MutableMapping[str, int]) -> list[Named]:
    name = event.props.get("catalog")
    catalog = catalogs.get(name) if isinstance(name, str) else None
    key = key_text(event.props.get(catalog.key)) if catalog is not None else None
    if catalog is None or key is None:
        count["catalog_unknown"] += 1
        return []
    wrong = unfit(catalog, event.props)
    fit = {field: event.props[field] for field in catalog.fields if field in event.props and field not in wrong}
    count["catalog_unfit"] += len(wrong)
    named = {catalog.key: event.props[catalog.key]}
    return [Named(str(name), key, Load(event.time, named, fit, (event.source, event.seq, event.id)))]


def unfit(catalog: Catalog, props: Mapping[str, Any]) -> list[str]:
    """The fields whose values are not of their type; null is no value, and fits."""
    given = ((name, type_, props.get(name)) for name, type_ in catalog.fields.items())
    return [name for name, type_, value in given if value is not None and not FITS[type_](value)]


def _keys(value: Any) -> Sequence[str]:
    values = value[:MOST_KEYS] if isinstance(value, list) else [value]
    return list(dict.fromkeys(key for v in values if (key := key_text(v)) is not None))


def key_text(value: Any) -> str | None:
    """An item's key as text: 5, 5.0 and "5" are one item. None: it names no item."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def apply(item: Item, followers: Followers, words: Iterable[Word], count: MutableMapping[str, int]) -> Iterator[Change]:
    """The changes that the words make, in order. `count` hears of what comes to nothing (UNUSED).

    Whoever takes a change must have told its followers (`followed_by`) before it asks for the next one.
    """
    for at, group in groupby(sorted(words, key=_order), key=_at):
        before = item.fields
        for word in group:
            if isinstance(word, Follow):
                _follow(item, followers, word, count)
            elif word.at >= item.loaded_at:
                item.key, item.fields, item.loaded_at = word.key, {**(item.fields or {}), **word.fields}, word.at
            else:
                count["catalog_late"] += 1
        if before is not None and item.fields is not None and not _same(before, item.fields):
            yield Change(at, item.key, item.fields, before)


def _at(word: Word) -> int:
    return word.at


def _order(word: Word) -> tuple[int, int, tuple[str, int, str]]:
    return (word.at, 0, ("", 0, "")) if isinstance(word, Follow) else (word.at, 1, word.order)


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Equal as JSON values; a field that was not there is as one that is null."""
    return all(
        before.get(name) == after.get(name) and isinstance(before.get(name), bool) is isinstance(after.get(name), bool)
        for name in (*before, *after)
    )


def _follow(item: Item, followers: Followers, word: Follow, count: MutableMapping[str, int]) -> None:
    """Who follows already follows longer. Where there is no room, nobody who follows is put out."""
    until = followers.get(word.user_id)
    if until is None:
        if item.followers >= word.most and not _sweep(item, followers, word.at):
            count["catalog_cut"] += 1
            return
        item.followers += 1
    followers[word.user_id] = max(until or 0, word.until)


def _sweep(item: Item, followers: Followers, now: int) -> bool:
    """Whether there is room once those are forgotten whose time is over; it is looked once an hour, for an item that
    is full is asked often."""
    return now >= item.swept_at + HOUR and sweep(item, followers, now) > 0


def sweep(item: Item, followers: Followers, now: int) -> int:
    """Forgets those whose time is over, and says how many."""
    item.swept_at = now
    over = [user for user, until in followers.items() if until <= now]
    for user in over:
        del followers[user]
    item.followers -= len(over)
    return len(over)


def followed_by(followers: Followers, at: int) -> Iterator[str]:
    """The users who follow at that instant."""
    return (user for user, until in followers.items() if at < until)


def props_of(catalog: str, change: Change) -> dict[str, Any]:
    """Of `catalog.changed`: the item's fields, and each as it was."""
    before = {WAS + name: change.before.get(name) for name in change.fields}
    return {"catalog": catalog, **change.key, **change.fields, **before}
