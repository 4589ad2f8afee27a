"""The gateway's interface as OpenAPI 3.1, and as a page for people."""

from __future__ import annotations

from html import escape
from typing import Any

from kairos import __version__
from kairos.apps.gateway import cloud_events
from kairos.apps.gateway.events import LINES
from kairos.apps.gateway.problem import MAX_EVENTS
from kairos.engine.strict_json import MAX_BYTES

_EVENT = {
    "type": "object",
    "required": ["id", "type", "time"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "description": "Tells repetitions: the same again is dropped."},
        "type": {"type": "string", "minLength": 1, "description": "What happened, as the source declares it."},
        "user_id": {"type": "string", "description": "Who did it; some sources may give a device or phone instead."},
        "time": {
            "oneOf": [{"type": "integer"}, {"type": "string", "format": "date-time"}],
            "description": "When: epoch milliseconds, or ISO 8601 with an offset.",
        },
        "source": {"type": "string", "description": "May be left out: the API key says it."},
        "props": {"type": "object", "description": "Everything else."},
    },
    "example": {
        "id": "o-1",
        "type": "order_created",
        "user_id": "u1",
        "time": "2026-11-02T12:00:00+08:00",
        "props": {"order_id": "1", "amount": 80},
    },
}
_RESULT = {
    "type": "object",
    "required": ["accepted", "refused", "results"],
    "properties": {
        "accepted": {"type": "integer"},
        "refused": {"type": "integer"},
        "results": {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}},
        "code": {"type": "string", "description": "Where all were refused: the first reason."},
        "message": {"type": "string"},
    },
}
_OUTCOME = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["accepted", "waiting", "bound", "refused"]},
        "reason": {"type": "string"},
        "message": {"type": "string"},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_STATUSES = {
    "200": ("Kafka has what was accepted; `results` has one entry an event, in their order.", "Result"),
    "400": ("Nothing was accepted; the reasons are in `results`. The same again is refused again.", "Result"),
    "401": ("API key or signature is missing or wrong.", "Problem"),
    "403": ("The source is switched off, or is another than the key's.", "Problem"),
    "408": ("The body came too slowly.", "Problem"),
    "409": ("This signed request has been taken already.", "Problem"),
    "413": ("The body is too large, or has too many events.", "Problem"),
    "415": ("Content type, encoding or charset is not taken.", "Problem"),
    "429": ("Faster than the source may; `Retry-After` says when to try again.", "Problem"),
    "503": ("Nothing is promised: send the same again after `Retry-After`.", "Problem"),
}


def _content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _answers() -> dict[str, Any]:
    return {
        status: {
            "description": text,
            "content": _content("application/json", {"$ref": f"#/components/schemas/{schema}"}),
        }
        for status, (text, schema) in _STATUSES.items()
    }


def _post(summary: str, content: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": content}
    return {"post": {"summary": summary, "requestBody": body, "responses": _answers()}}


def _call(name: str) -> dict[str, Any]:
    return _post(f"A {name} call of a Segment SDK", _content("application/json", {"type": "object"}))


def _paths() -> dict[str, Any]:
    event = {"$ref": "#/components/schemas/Event"}
    events = {"oneOf": [event, {"type": "array", "items": event, "maxItems": MAX_EVENTS}]}
    native = {
        **_content("application/json", events),
        **_content(LINES[0], {"type": "string", "description": "An event a line."}),
        **_content(cloud_events.STRUCTURED, {"type": "object"}),
        **_content(cloud_events.BATCH, {"type": "array", "items": {"type": "object"}}),
    }
    batch = {"type": "object", "required": ["batch"], "properties": {"batch": {"type": "array"}}}
    return {
        "/v1/events": _post("Events: one, an array, lines; CloudEvents 1.0 in each mode", native),
        "/v1/batch": _post("Calls of a Segment SDK", _content("application/json", batch)),
        **{f"/v1/{name}": _call(name) for name in ("track", "identify", "page", "screen", "group", "alias")},
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Kairos gateway",
        "version": __version__,
        "description": f"Events of users. One has at most {MAX_BYTES:,} bytes; gzip is taken.",
    },
    "security": [{"bearer": []}, {"header": []}, {"basic": []}],
    "paths": _paths(),
    "components": {
        "schemas": {"Event": _EVENT, "Result": _RESULT, "Outcome": _OUTCOME, "Problem": _PROBLEM},
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            "basic": {"type": "http", "scheme": "basic", "description": "The API key as user name."},
        },
    },
}


def page(document: dict[str, Any]) -> str:
    """The paths with what they take and answer, as HTML without anything from elsewhere."""
    info = document["info"]
    head = f"<!doctype html><meta charset=utf-8><title>{escape(info['title'])}</title>"
    style = "<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto}td{padding-right:1em}</style>"
    parts = [head, style, f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}"]
    parts.append('<p>For machines: <a href="/openapi.json">openapi.json</a>')
    for path, methods in document["paths"].items():
        call = methods["post"]
        kinds = ", ".join(escape(kind) for kind in call["requestBody"]["content"])
        parts.append(f"<h2>POST {escape(path)}</h2><p>{escape(call['summary'])}.<p>Content types: {kinds}")
    rows = "".join(f"<tr><td>{status}<td>{escape(text)}" for status, (text, _) in _STATUSES.items())
    return "\n".join([*parts, f"<h2>Answers</h2><table>{rows}</table>"])
