"""`POST /v1/events`: one event, a JSON array of them, or JSON lines; CloudEvents in its three modes."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from kairos.apps.gateway import cloud_events
from kairos.apps.gateway.problem import Problem, check_count
from kairos.engine.source.normalise import Refusal
from kairos.usecases.intake.batch import Item
from kairos.usecases.intake.registry import Door

JSON = ("", "application/json", "text/json")
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
_SPACE = b" \t\r\n"

_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_events(request: Request, body: bytes, door: Door, now: int) -> list[Item]:
    """Raises Problem for a content type that is none of these."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    events = door.entry.source.events
    if kind == cloud_events.BATCH:
        return [
            cloud_events.structured(item.raw, events, now) if item.document is None else item for item in split(body)
        ]
    if kind == cloud_events.STRUCTURED:
        return [cloud_events.structured(body, events, now)]
    if "ce-specversion" in request.headers:
        return [cloud_events.binary(request.headers, body, events, now)]
    if kind in LINES:
        check_count(body.count(b"\n"))
        return [Item(line) for line in body.split(b"\n") if line.strip(_SPACE)] or [_empty(body)]
    if kind not in JSON:
        expected = ", ".join(("application/json", LINES[0], cloud_events.STRUCTURED, cloud_events.BATCH))
        raise Problem(415, "wrong_type", f"content-type '{kind[:60]}' is not taken; expected {expected}")
    return split(body) if body.lstrip(_SPACE).startswith(b"[") else [Item(body)]


def split(body: bytes) -> list[Item]:
    """The elements of a JSON array as they are written; of what is none, the body as a whole, refused.

    Raises Problem for too many.
    """
    try:
        found = _array(body)
    except RecursionError:
        return [Item(body, Refusal("too_deep", "the body is nested too deeply"))]
    except ValueError as error:
        return [Item(body, Refusal("not_json", f"the body is no JSON array: {error}"))]
    check_count(len(found))
    return [Item(bytes(raw)) for raw in found]


def _empty(body: bytes) -> Item:
    return Item(body, Refusal("not_json", "there is no event in the body"))
