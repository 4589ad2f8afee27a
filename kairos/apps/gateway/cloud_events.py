"""CloudEvents 1.0 (https://cloudevents.io) -> envelope fields.

`id` and `time` keep their names (without `time`: now), `data` becomes the props. The user is `data.user_id`, or where
that is empty `subject`. The type is what of the dotted type the source declares: `com.shop.order.created` may be
`order_created`. The source's own `map` goes before all this; its paths start at the event, such as `data.buyer`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from kairos.engine.event import EventError
from kairos.engine.source.normalise import Refusal
from kairos.engine.strict_json import document_of
from kairos.usecases.intake.batch import Item

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_JSON = re.compile(r"([^;/]+/)?([^;]*\+)?json\s*(;.*)?", re.IGNORECASE)


def structured(raw: bytes, declared: Collection[str], now: int) -> Item:
    try:
        return _item(raw, document_of(raw), declared, now)
    except EventError as error:
        return Item(raw, Refusal(error.reason, error.message))


def binary(headers: Mapping[str, str], body: bytes, declared: Collection[str], now: int) -> Item:
    """Attributes are headers, percent-encoded; the body is the data."""
    attributes = {name[3:].lower(): unquote(value) for name, value in headers.items() if name.lower().startswith("ce-")}
    if kind := headers.get("content-type"):
        attributes["datacontenttype"] = kind
    try:
        data = document_of(body) if body else {}
    except EventError as error:
        return Item(body, Refusal(error.reason, f"the data is no JSON object: {error.message}"))
    event = {**attributes, "data": data}
    return _item(msgspec.json.encode(event), event, declared, now)


def type_of(name: str, declared: Collection[str]) -> str:
    """The longest end of the dotted name that the source declares, as it is or with dots as underscores; else the name
    as it is."""
    parts = name.lower().replace("-", "_").split(".")
    ends = (joint.join(parts[first:]) for first in range(len(parts)) for joint in (".", "_"))
    return next((end for end in ends if end in declared), name)


def _item(raw: bytes, event: Mapping[str, Any], declared: Collection[str], now: int) -> Item:
    if (problem := _problem(event)) is not None:
        return Item(raw, Refusal("bad_cloud_event", problem))
    data = event.get("data")
    props = data if isinstance(data, dict) else {}
    user = props.get("user_id")
    if user in (None, ""):
        user = event.get("subject")
    name = event.get("type")
    fields = {
        **event,
        "type": type_of(name, declared) if isinstance(name, str) else name,
        "user_id": user if user != "" else None,
        "time": event.get("time", now),
        "props": props,
    }
    fields.pop("source", None)  # a URI; which source it is for us the key has said
    return Item(raw, {key: value for key, value in fields.items() if value is not None}, mapped=True)


def _problem(event: Mapping[str, Any]) -> str | None:
    if event.get("specversion") != "1.0":
        return "'specversion' must be \"1.0\""
    if "data_base64" in event:
        return "'data_base64' is not taken: data must be a JSON object"
    kind = event.get("datacontenttype", "application/json")
    if not (isinstance(kind, str) and _JSON.fullmatch(kind)):
        return "'datacontenttype' must be JSON"
    if "source" not in event or "type" not in event or "id" not in event:
        return "'id', 'source' and 'type' are required"
    if event.get("data") is not None and not isinstance(event["data"], dict):
        return "'data' must be a JSON object"
    return None
