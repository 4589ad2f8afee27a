"""The calls of Segment's SDKs -> envelope fields.

Their format: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
`track` has the type of its event name in snake case ("Order Completed" is `order_completed`), the other calls that of
their own name. The time is that of the device, corrected by what its clock was off when it sent (`sentAt`).
`anonymousId` is the identity `device_id`; `properties` and `traits` become the props. The rest of the call, `context`
too, is left out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kairos.apps.gateway.problem import check_count
from kairos.engine.event import EventError
from kairos.engine.iso_time import parse_time
from kairos.engine.source.normalise import Refusal
from kairos.engine.strict_json import document_of
from kairos.usecases.intake.batch import Item

CALLS = ("track", "identify", "page", "screen", "group", "alias")
PATHS = {name: call for call in CALLS for name in (call, call[0])}
"""What stands after /v1/ -> the call. Today's SDKs use the first letter."""
BATCH_PATHS = ("batch", "b")
DEVICE = "device_id"


class Batch(msgspec.Struct):
    """`writeKey`: where some SDKs put it. `sentAt`: by the device's clock; a call may have its own."""

    batch: list[msgspec.Raw]
    sentAt: Any = None  # noqa: N815 - Segment's names
    writeKey: str | None = None  # noqa: N815


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
    return [_read(bytes(raw), None, now, found.sentAt)[0] for raw in found.batch], found.writeKey


def read_call(body: bytes, call: str, now: int) -> tuple[list[Item], str | None]:
    item, document = _read(body, call, now)
    key = document.get("writeKey")
    return [item], key if isinstance(key, str) else None


def _read(raw: bytes, call: str | None, now: int, sent: Any = None) -> tuple[Item, Mapping[str, Any]]:
    """`call` None: the document says which it is. `sent`: the batch's `sentAt`."""
    try:
        document = document_of(raw)
        return Item(raw, _fields(document, call or document.get("type"), raw, now, sent)), document
    except EventError as error:
        return Item(raw, Refusal(error.reason, error.message)), {}


def _fields(document: Mapping[str, Any], call: Any, raw: bytes, now: int, sent: Any) -> dict[str, Any]:
    if call not in CALLS:
        raise EventError("bad_field", f"'type' must be one of {', '.join(CALLS)}")
    fields = {
        "id": document.get("messageId") or _id(document, raw, now),
        "type": call,
        "user_id": _text(document.get("userId")),
        "time": _time(document, sent, now),
        DEVICE: _text(document.get("previousId" if call == "alias" else "anonymousId")),
        **_CONTENT[call](document),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _time(document: Mapping[str, Any], sent: Any, now: int) -> Any:
    """https://segment.com/docs/connections/spec/common/#timestamps: what passed between event and sending, back from
    now. As it is where either cannot be read."""
    said = document.get("timestamp") or document.get("originalTimestamp") or now
    time, sent_at = _moment(said), _moment(document.get("sentAt") or sent)
    return said if time is None or sent_at is None else now - (sent_at - time)


def _moment(value: Any) -> int | None:
    return parse_time(value) if isinstance(value, str) else None


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
    """ "Order Completed" and "orderCompleted" -> `order_completed`, "Заказ VIP" -> `заказ_vip`.

    Letters, marks and digits of every script stay, as do dots inside (`consent.changed`): names that differ in them
    never become one type. A name of nothing else stays as it is.
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", unicodedata.normalize("NFC", name))
    spaced = "".join(char if char == "." or unicodedata.category(char)[0] in "LMN" else "_" for char in words)
    return re.sub(r"_*\._*", ".", re.sub(r"_+", "_", spaced)).strip("_.").lower() or name


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
