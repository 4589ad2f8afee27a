"""A request that is not served, as its sender is told: `{"code", "message"}`, which Segment's SDKs read too."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

MAX_EVENTS = 10_000
"""In one request: each costs an outcome, however small it is."""


class Problem(Exception):
    """`status` of HTTP; `code` names the counter; `message` is for people. `retry_after`: seconds."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def response(self) -> Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="kairos"'
        body = msgspec.json.encode({"code": self.code, "message": self.message})
        return Response(body, self.status, headers, "application/json")


def check_count(events: int) -> None:
    """Raises Problem for more than a request may have."""
    if events > MAX_EVENTS:
        raise Problem(413, "too_many", f"{events} events; at most {MAX_EVENTS} are taken at once")
