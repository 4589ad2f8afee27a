"""The catalogs of a bounded run: what the job would have told followers in that time, as events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence

from kairos.engine.catalog.changed import changed_event
from kairos.engine.catalog.item import Item, Load, Word, apply, followed_by, props_of, words_of
from kairos.engine.catalog.items import ItemsThen
from kairos.engine.catalog.spec import Catalog
from kairos.engine.event import CATALOG_CHANGED, Event

Key = tuple[str, str]


def play_catalogs(
    catalogs: Mapping[str, Catalog], events: Sequence[Event], items: ItemsThen, count: MutableMapping[str, int]
) -> Sequence[Event]:
    """The events, and behind them a `catalog.changed` for each follower of each change. `items` gets what each was.

    A change that the events tell already is not told again. `count`: as for `words_of` and `apply`.
    """
    if not catalogs:
        return events
    words: defaultdict[Key, list[Word]] = defaultdict(list)
    for event in events:
        for catalog, key, word in words_of(catalogs, event, count):
            words[catalog, key].append(word)
    told = {event.id for event in events if event.type == CATALOG_CHANGED}
    changes = [
        change
        for key, said in words.items()
        if any(isinstance(word, Load) for word in said)
        for change in _changes(key, said, items, count)
        if change.id not in told
    ]
    return [*events, *changes]


def _changes(key: Key, words: list[Word], items: ItemsThen, count: MutableMapping[str, int]) -> list[Event]:
    item = Item()
    followers: dict[str, int] = {}
    found: list[Event] = []
    for change in apply(item, followers, words, count):
        props = props_of(key[0], change)
        users = sorted(followed_by(followers, change.at))
        found += [changed_event(*key, change.at, user, props, change.at) for user in users]
    state: dict[str, object] = {}
    for load in sorted((word for word in words if isinstance(word, Load)), key=lambda load: (load.at, load.order)):
        state = {**state, **load.key, **load.fields}
        items.add(*key, load.at, state)
    return found
