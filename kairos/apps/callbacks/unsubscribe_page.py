"""The page behind a link to unsubscribe: GET shows a button and changes nothing, POST writes the opt-out (RFC 8058).

Mail programs and scanners follow links to look at them; only the button, or the mail program's own, asks for it. "Done"
is said only when it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kairos.adapters.delivery.unsubscribe_links import PATH, Leaving, LinkError, Links
from kairos.adapters.metrics.declared import UNSUBSCRIBES
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.lists import ListsAwayError
from kairos.apps.delivery.clock import Clock
from kairos.engine.profile.topics import LINK, ConsentChange, Word

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Unsubscribe</title>
<p>{text}</p>
"""
_BUTTON = '<form method="post"><button>Unsubscribe</button></form>\n'


class Lists(Protocol):
    """Where opt-outs are kept. Blocks; raises ListsAwayError."""

    def opted_out(self, user_id: str, channel: str) -> None: ...

    def say(self, change: ConsentChange) -> None: ...


InThread = Callable[..., Awaitable[object]]


class UnsubscribePage:
    """`patience`: seconds until somebody is told to try again."""

    def __init__(
        self,
        links: Links,
        lists: Lists,
        metrics: Metrics,
        in_thread: InThread,
        patience: float,
        clock: Clock,
    ) -> None:
        self._links, self._lists, self._metrics = links, lists, metrics
        self._in_thread, self._patience, self._clock = in_thread, patience, clock

    def route(self) -> Route:
        return Route(f"{PATH}{{token}}", self._endpoint, methods=["GET", "POST"])

    async def _endpoint(self, request: Request) -> Response:
        try:
            leaving = self._links.read(request.path_params["token"])
        except LinkError:
            return self._page("refused", 404, "This link is not valid. Please copy it as a whole.")
        if request.method != "POST":
            return self._page("shown", 200, "Do you want to get no more of these messages?", _BUTTON)
        try:
            async with asyncio.timeout(self._patience):
                await self._in_thread(self._write, leaving)
        except (ListsAwayError, TimeoutError):
            text = "This cannot be written down at the moment. Please try again in a minute."
            return self._page("away", 503, text, _BUTTON)
        return self._page("done", 200, "Done: you will get no more of these messages.")

    def _write(self, leaving: Leaving) -> None:
        """Raises ListsAwayError."""
        if leaving.topic is None:
            self._lists.opted_out(leaving.user_id, leaving.channel)
        else:
            no = Word(False, self._clock.now())
            self._lists.say(ConsentChange(leaving.user_id, leaving.topic, no, LINK))

    def _page(self, what: str, status: int, text: str, more: str = "") -> Response:
        self._metrics.add(UNSUBSCRIBES, outcome=what)
        headers = {**_HEADERS, "retry-after": "60"} if status == 503 else _HEADERS
        return HTMLResponse(_PAGE.format(text=text) + more, status, headers)
