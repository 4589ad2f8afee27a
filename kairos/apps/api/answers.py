"""What the API answers: JSON, or a problem with a code that programs can tell apart."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.rules.store import RuleStoreError
from kairos.errors import KairosError
from kairos.usecases.control.publish import NotApprovedError
from kairos.usecases.control.rights import NotAllowedError
from kairos.usecases.control.sign_in import SlowDownError
from kairos.usecases.errors import ChangedError, InvalidRulesError, NotThereError

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_STATUSES: tuple[tuple[type[KairosError], int, str], ...] = (
    (SlowDownError, 429, "slow_down"),
    (NotApprovedError, 409, "not_approved"),
    (NotAllowedError, 403, "not_allowed"),
    (NotThereError, 404, "not_there"),
    (ChangedError, 409, "changed"),
    (InvalidRulesError, 422, "invalid_rules"),
    (RuleStoreError, 503, "away"),
    (DatabaseAwayError, 503, "away"),
    (KairosError, 422, "refused"),
)
"""The first that fits."""


class Problem(Exception):
    """`status` of HTTP; `code` for programs, `message` for people."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def answer(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")


def status_of(error: KairosError | Problem) -> tuple[int, str]:
    """Of HTTP, and the code for programs."""
    if isinstance(error, Problem):
        return error.status, error.code
    return next((status, code) for kind, status, code in _STATUSES if isinstance(error, kind))


def told(error: KairosError | Problem) -> Response:
    status, code = status_of(error)
    if isinstance(error, Problem):
        response = answer({"code": code, "message": error.message}, status)
        for name, value in error.headers.items():
            response.headers[name.replace("_", "-")] = value
        return response
    body: dict[str, Any] = {"code": code, "message": str(error)}
    if isinstance(error, InvalidRulesError):
        body["findings"] = error.findings
    response = answer(body, status)
    if isinstance(error, SlowDownError):
        response.headers["Retry-After"] = str((error.wait + 999) // 1000)
    return response
