"""The API's interface as OpenAPI 3.1, made of the endpoints' own declarations."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kairos import __version__
from kairos.apps.api.control import ENDPOINTS as CONTROL
from kairos.apps.api.endpoint import Endpoint
from kairos.apps.api.looking import ENDPOINTS as LOOKING
from kairos.apps.api.session import Credentials, Session

PREFIX = "/api/v1"
ENDPOINTS = (*CONTROL, *LOOKING)

_PROBLEM = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_REFUSALS = {
    "400": "The body is not what the schema says.",
    "401": "Nobody has said who asks.",
    "403": "Whoever asks has not the right, or a page of somebody else asks.",
    "404": "What was named is not there.",
    "409": "Not approved, or somebody else was first.",
    "413": "The body is too large.",
    "422": "It makes no sense; the message says why.",
    "429": "Too many have failed; `Retry-After` says when to try again.",
    "503": "The database does not answer.",
}


def document() -> dict[str, Any]:
    bodies = [endpoint.body for endpoint in ENDPOINTS if endpoint.body is not None]
    types = [*(endpoint.answers for endpoint in ENDPOINTS), *bodies, Credentials, Session]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    known = {id(type_): schema for type_, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kairos", "version": __version__, "description": "Rights are those of the commands."},
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": {**paths, **_session_paths(known)},
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "responses": {status: _answered(says, _ref("Problem")) for status, says in _REFUSALS.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-kairos"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _operation(endpoint: Endpoint, known: dict[int, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": says, "schema": {"type": "string"}}
        for name, says in endpoint.query.items()
    ]
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.says,
        "description": f"Takes the right `{endpoint.right}`.",
        "responses": {"200": _answered("Done.", known[id(endpoint.answers)]), **_refusals()},
    }
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(known[id(endpoint.body)])}
    return operation


def _session_paths(known: dict[int, Any]) -> dict[str, Any]:
    session, free = known[id(Session)], {"security": list[Any]()}
    opened = {"200": _answered("The cookie is set.", session), **_refusals()}
    body = {"required": True, "content": _json(known[id(Credentials)])}
    gone = {"204": {"description": "Done."}}
    return {
        f"{PREFIX}/session": {
            "post": {"operationId": "sign_in", "summary": "Sign in.", "requestBody": body, "responses": opened, **free},
            "get": {"operationId": "session", "summary": "Who is signed in.", "responses": opened},
            "delete": {"operationId": "sign_out", "summary": "Sign out.", "responses": gone},
        }
    }


def _refusals() -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}


def _answered(says: str, schema: Any) -> dict[str, Any]:
    return {"description": says, "content": _json(schema)}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def table() -> str:
    """For people: every path, as docs/api.md shows it."""
    lines = ["| call | right | does |", "|---|---|---|"]
    lines += [f"| `{each.method} {PREFIX}{each.path}` | `{each.right}` | {each.says} |" for each in ENDPOINTS]
    return "\n".join(lines) + "\n"
