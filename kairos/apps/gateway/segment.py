"""The calls of Segment's SDKs -> envelope fields.

Their format: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
`track` has the type of its event name in snake case ("Order Completed" is `order_completed`), the other calls that of
their own name. `anonymousId` is the identity `device_id`; `properties` and `traits` become the props. The rest of the
call, `context` too, is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kairos.apps.access.intake import Item
from kairos.apps.gateway.problem import check_count
from kairos.engine.event import EventError, document_of
from kairos.engine.normalise import Refusal

CALLS = ("track", "identify", "page", "screen", "group", "alias")
DEVICE = "device_id"


class Batch(msgspec.Struct):
    """`writeKey`: where some SDKs put it."""

    batch: list[msgspec.Raw]
    writeKey: str | None = None  # noqa: N815 - Segment's name


_batch = msgspec.json.Decoder(Batch).decode


def read_batch(body: bytes, now: int) -> tuple[list[Item], str | None]:
    """(calls, write key); what is no batch is one refused item. Raises Problem for too many."""
    try:
        found = _batch(body)
    except RecursionError:
        return [Item(body, Refusal("too_deep", "the body is nested too deeply"))], None
    except ValueError as error:
        return [Item(body, Refusal("not_json", f"the body is no batch of calls: {error}"))], None
    check_count(len(found.batch))
    return [_read(bytes(raw), None, now)[0] for raw in found.batch], found.writeKey


def read_call(body: bytes, call: str, now: int) -> tuple[list[Item], str | None]:
    item, document = _read(body, call, now)
    key = document.get("writeKey")
    return [item], key if isinstance(key, str) else None


def _read(raw: bytes, call: str | None, now: int) -> tuple[Item, Mapping[str, Any]]:
    """`call` None: the document says which it is."""
    try:
        document = document_of(raw)
        return Item(raw, _fields(document, call or document.get("type"), raw, now)), document
    except EventError as error:
        return Item(raw, Refusal(error.reason, error.message)), {}


def _fields(document: Mapping[str, Any], call: Any, raw: bytes, now: int) -> dict[str, Any]:
    if call not in CALLS:
        raise EventError("bad_field", f"'type' must be one of {', '.join(CALLS)}")
    fields = {
        "id": document.get("messageId") or _id(document, raw, now),
        "type": call,
        "user_id": _text(document.get("userId")),
        "time": document.get("timestamp") or document.get("originalTimestamp") or now,
        DEVICE: _text(document.get("previousId" if call == "alias" else "anonymousId")),
        **_CONTENT[call](document),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _track(document: Mapping[str, Any]) -> dict[str, Any]:
    name = document.get("event")
    if not isinstance(name, str) or not name:
        raise EventError("bad_field", "'event' must be the name of what happened")
    return {"type": snake_case(name), "props": _object(document, "properties")}


def _view(document: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: value for key in ("name", "category") if isinstance(value := document.get(key), str)}
    return {"props": {**_object(document, "properties"), **named}}


def _traits(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"props": _object(document, "traits")}


def _group(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"props": {**_object(document, "traits"), "group_id": _text(document.get("groupId"))}}


def _alias(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"props": {}}


_CONTENT: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "track": _track,
    "identify": _traits,
    "page": _view,
    "screen": _view,
    "group": _group,
    "alias": _alias,
}


def snake_case(name: str) -> str:
    """ "Order Completed" and "orderCompleted" -> `order_completed`; a name without any Latin letter stays as it is."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower() or name


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise EventError("bad_field", f"'{name}' must be an object")
    return value


def _text(value: Any) -> Any:
    """Ids are often numbers there; no text is none."""
    if type(value) is int:
        return str(value)
    return value if value != "" else None


def _id(document: Mapping[str, Any], raw: bytes, now: int) -> str:
    """For a call without `messageId`. The same call sent again gets the same, if it says its time."""
    moment = b"" if document.get("timestamp") else str(now).encode()
    return hashlib.blake2b(raw + moment, digest_size=16).hexdigest()
