"""Asks another system for its decision, over HTTPS."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_SECONDS = 10
MOST_BYTES = 65_536

log = logging.getLogger(__name__)


class _NoRedirect(HTTPRedirectHandler):
    """Who was asked has to answer, not somebody to whom they point."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def ask(url: str, body: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The JSON object that it answers; None: it did not, or not in time."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as response:
            said = json.loads(response.read(MOST_BYTES))
    except (OSError, HTTPException, ValueError) as error:
        log.warning("a step waits: %s did not answer: %s", url.partition("?")[0], error)
        return None
    return said if isinstance(said, dict) else None
