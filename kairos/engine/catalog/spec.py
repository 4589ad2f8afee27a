"""A catalog as catalogs.yaml declares it."""

from __future__ import annotations

import msgspec


class Catalog(msgspec.Struct, frozen=True):
    """`key`: the prop that names an item, in its own events and in those of users. `fields`: name -> type (PROP_TYPES).

    `follow`: event type -> how long (ms) after it a user follows the item. `max_followers` of one item.
    """

    key: str
    fields: dict[str, str] = {}
    follow: dict[str, int] = {}
    max_followers: int = 100_000


WAS = "was_"
"""Begins the name under which a change tells the value from before it."""


def props_of_change(catalog: Catalog) -> dict[str, str]:
    """What `catalog.changed` carries: prop -> type."""
    before = {WAS + name: type_ for name, type_ in catalog.fields.items()}
    return {"catalog": "string", catalog.key: "any", **catalog.fields, **before}
