"""`catalog.changed`: the event by which a follower hears of a change. Its id makes it the same, however often it is
told."""

from __future__ import annotations

import hashlib
from typing import Any

from kairos.engine.event import CATALOG_CHANGED, KAIROS, MAX_ID, Event


def changed_event(catalog: str, key: str, changed_at: int, user_id: str, props: dict[str, Any], at: int) -> Event:
    """`changed_at`: when the item changed; `at`: when the follower hears of it. Both epoch ms."""
    return Event(changed_id(catalog, key, changed_at, user_id), CATALOG_CHANGED, at, KAIROS, props, user_id)


def changed_id(catalog: str, key: str, changed_at: int, user_id: str) -> str:
    """`catalog/<catalog>/<key>/<time>/<user>`; where that is longer than an id may be, digests stand for key and user.

    All that happens to an item in one millisecond is one change.
    """
    whole = f"catalog/{catalog}/{key}/{changed_at}/{user_id}"
    if len(whole.encode("utf-8", "surrogatepass")) <= MAX_ID:
        return whole
    return f"catalog/{catalog}/{_digest(key)}/{changed_at}/{_digest(user_id)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
