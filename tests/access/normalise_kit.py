"""A source, what it sends, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

from kairos.engine.rule.model import EventSchema, Source
from kairos.engine.source.normalise import (
    Draft,
    Normaliser,
    envelope,
)

NOW = 1_763_778_000_000


EVENTS = {"order_created": EventSchema({"order_id": "string", "amount": "number"}, ("order_id",))}


SHOP = Source("shop", EVENTS)


def line(**fields: Any) -> bytes:
    good = {"id": "e1", "type": "order_created", "user_id": "u1", "time": NOW, "props": {"order_id": "o1"}}
    return json.dumps({key: value for key, value in {**good, **fields}.items() if value is not ...}).encode()


def draft(source: Source, sent: bytes, now: int = NOW) -> Draft:
    found = Normaliser(source).read(sent, now)
    assert isinstance(found, Draft), found
    return found


def value(of: Draft, user_id: str, merged: bool = False) -> dict[str, Any]:
    written = envelope(of, user_id, merged=merged)
    assert isinstance(written, bytes)
    return json.loads(written)
