"""The gateway as an ASGI application: what each path does, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from kairos.adapters.event_producer import NotTakenError
from kairos.apps.access.intake import HELPS, Item, Outcome
from kairos.apps.access.registry import Door
from kairos.apps.gateway import segment
from kairos.apps.gateway.auth import sender
from kairos.apps.gateway.body import received
from kairos.apps.gateway.events import read_events
from kairos.apps.gateway.openapi import DOCUMENT, page
from kairos.apps.gateway.problem import Problem
from kairos.apps.gateway.taking import Parts, take

REQUESTS_TOTAL = "kairos_gateway_requests_total"
PROBLEMS_TOTAL = "kairos_gateway_problems_total"
CALLS_TOTAL = "kairos_gateway_calls_total"
ALL_HELPS = {
    REQUESTS_TOTAL: "Requests by HTTP status.",
    PROBLEMS_TOTAL: "Requests and calls that were not served, by code.",
    CALLS_TOTAL: "Calls over gRPC by its status.",
    **HELPS,
}


class Gateway:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def app(self) -> Starlette:
        segments = [
            Route(f"/v1/{call}", self._answering(self._segment_call(call)), methods=["POST"]) for call in segment.CALLS
        ]
        return Starlette(
            routes=[
                Route("/v1/events", self._answering(self._events), methods=["POST"]),
                Route("/v1/batch", self._answering(self._segment_batch), methods=["POST"]),
                *segments,
                Route("/openapi.json", self._openapi),
                Route("/", self._page),
                Route("/healthz", self._health),
                Route("/metrics", self._metrics),
            ],
            exception_handlers={HTTPException: self._astray, ClientDisconnect: self._gone},
        )

    def _answering(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except Problem as problem:
                response = self._refuse(problem)
            self._parts.counters.add(REQUESTS_TOTAL, status=str(response.status_code))
            return response

        return answer

    async def _events(self, request: Request) -> Response:
        door = self._sender(request)
        async with received(request, self._parts.room, self._parts.max_body) as body:
            return await self._take(
                request, door, body.sent, lambda: read_events(request, body.text, door, self._parts.clock())
            )

    async def _segment_batch(self, request: Request) -> Response:
        return await self._segment(request, lambda text: segment.read_batch(text, self._parts.clock()))

    def _segment_call(self, call: str) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return await self._segment(request, lambda text: segment.read_call(text, call, self._parts.clock()))

        return handle

    async def _segment(self, request: Request, read: Callable[[bytes], tuple[list[Item], str | None]]) -> Response:
        async with received(request, self._parts.room, self._parts.max_body) as body:
            if "authorization" in request.headers:
                self._sender(request)  # a stranger's body is not worth parsing
            items, key = read(body.text)
            door = self._sender(request, key)
            return await self._take(request, door, body.sent, lambda: items)

    def _sender(self, request: Request, key: str | None = None) -> Door:
        return sender(request.headers, request.query_params.get("source"), self._parts.registry, key)

    async def _take(self, request: Request, door: Door, sent: bytes, read: Callable[[], list[Item]]) -> Response:
        return _answer(await take(self._parts, request.headers, door, sent, read))

    def _refuse(self, problem: Problem) -> Response:
        self._parts.counters.add(PROBLEMS_TOTAL, code=problem.code)
        return problem.response()

    async def _astray(self, request: Request, error: Exception) -> Response:
        """No such path, or another method."""
        assert isinstance(error, HTTPException)
        known = "the paths are in /openapi.json"
        return self._refuse(Problem(error.status_code, "no_such_path", f"{error.detail}; {known}"))

    async def _gone(self, request: Request, error: Exception) -> Response:
        return self._refuse(Problem(400, "gone", "the sender has gone"))

    async def _health(self, request: Request) -> Response:
        if not self._parts.registry.ready:
            return PlainTextResponse("the sources are not known yet\n", 503)
        try:
            await self._parts.producer.check()
        except NotTakenError as error:
            return PlainTextResponse(f"{error}\n", 503)
        return PlainTextResponse("ok\n")

    async def _metrics(self, request: Request) -> Response:
        return PlainTextResponse(self._parts.counters.text(), media_type="text/plain; version=0.0.4")

    async def _openapi(self, request: Request) -> Response:
        return Response(msgspec.json.encode(DOCUMENT), media_type="application/json")

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(page(DOCUMENT))


def _answer(outcomes: Sequence[Outcome]) -> Response:
    """400 only where nothing at all was taken: what was must not be sent again."""
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    body = {
        "accepted": len(outcomes) - len(refused),
        "refused": len(refused),
        "results": outcomes,
    }
    if not outcomes or len(refused) < len(outcomes):
        return Response(msgspec.json.encode(body), 200, media_type="application/json")
    first = {"code": refused[0].reason, "message": refused[0].message}
    return Response(msgspec.json.encode({**first, **body}), 400, media_type="application/json")
