"""`kairos people find`: who it is, by a user id, a phone number, a mail address, an openid, a device, an order."""

from __future__ import annotations

from dataclasses import dataclass

from kairos.adapters.search.entries import asked_terms
from kairos.adapters.search.port import Hit, SearchStore

MOST = 200
"""Entries looked at, of each kind."""


@dataclass(frozen=True)
class Found:
    """`by`: what it was that has the text: "user id", a kind of device or account, decisions. `last`: the newest such
    decision (epoch ms), 0 without one."""

    user_id: str
    by: tuple[str, ...]
    last: int


def find(store: SearchStore, text: str, most: int = 20) -> list[Found]:
    """Whom the text names herself first, then those whose decisions have it, the latest first. Raises SearchError."""
    people: dict[str, list[Hit]] = {}
    for hit in store.find(asked_terms(text), MOST):
        people.setdefault(hit.user_id, []).append(hit)
    found = [
        Found(user, tuple(dict.fromkeys(hit.about for hit in hits)), max(hit.at for hit in hits))
        for user, hits in people.items()
    ]
    return found[:most]
