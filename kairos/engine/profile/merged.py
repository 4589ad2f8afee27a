"""A person whom two ids meant: what was sent to her under the other one counts, and its arms are hers as well.

`kairos people merge` writes it into the profile, as `merged: {from, once, sends}`; gates read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

FIELD = "merged"


class Sent(NamedTuple):
    """A message that used up caps (policy.caps.Slot)."""

    at: int
    occurrence: str
    channel: str
    caps: tuple[str, ...]


class Merged(NamedTuple):
    """`ids` that she was known by; `once`: activity -> the time of its last send to one of them."""

    ids: tuple[str, ...] = ()
    once: Mapping[str, int] = {}
    sends: tuple[Sent, ...] = ()


NOBODY = Merged()


def merged_in(profile: Mapping[str, Any] | None) -> Merged:
    """What nobody can read of it counts as nothing: it is written by Kairos alone."""
    found = profile.get(FIELD) if profile is not None else None
    if not isinstance(found, dict):
        return NOBODY
    once = found.get("once")
    return Merged(
        tuple(str(user) for user in found.get("from") or ()),
        {name: at for name, at in once.items() if isinstance(at, int)} if isinstance(once, dict) else {},
        tuple(_sent(entry) for entry in found.get("sends") or () if isinstance(entry, list) and len(entry) == 4),
    )


def plain(merged: Merged) -> dict[str, Any]:
    """As it stands in a profile."""
    sends = [[sent.at, sent.occurrence, sent.channel, list(sent.caps)] for sent in merged.sends]
    return {"from": list(merged.ids), "once": dict(merged.once), "sends": sends}


def _sent(entry: list[Any]) -> Sent:
    at, occurrence, channel, caps = entry
    return Sent(int(at), str(occurrence), str(channel), tuple(map(str, caps)))
