"""The gateway as an ASGI application: what each path does, and what it answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kairos.adapters.kafka.producer import NotTakenError
from kairos.adapters.metrics.declared import ANSWERS, PROBLEMS, REQUESTS
from kairos.apps.gateway import segment
from kairos.apps.gateway.auth import check_signed, says_who, sender
from kairos.apps.gateway.body import received
from kairos.apps.gateway.events import read_events
from kairos.apps.gateway.openapi import DOCUMENT, page
from kairos.apps.gateway.problem import Problem
from kairos.apps.gateway.taking import Parts, check_rate, take
from kairos.apps.logs import trace_of, traced
from kairos.apps.status import server as status
from kairos.usecases.intake.batch import Item, Outcome
from kairos.usecases.intake.registry import Door


def result_of(status: int) -> str:
    """What an HTTP status means to the objective: whose fault it is."""
    return "taken" if status < 400 else "refused" if status < 500 else "unavailable"


class Gateway:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def app(self) -> Starlette:
        segments = [
            Route(f"/v1/{name}", self._answering(self._segment_call(call)), methods=["POST"])
            for name, call in segment.PATHS.items()
        ]
        batch = self._answering(self._segment_batch)
        return Starlette(
            routes=[
                Route("/v1/events", self._answering(self._events), methods=["POST"]),
                *(Route(f"/v1/{name}", batch, methods=["POST"]) for name in segment.BATCH_PATHS),
                *segments,
                Route("/openapi.json", self._openapi),
                Route("/", self._page),
                *status.routes(self._parts.metrics, self._hindrance),
            ],
            exception_handlers={HTTPException: self._astray, ClientDisconnect: self._gone},
        )

    def _answering(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            begun = time.perf_counter()
            with traced(trace_of(request.headers.get("traceparent"))):
                try:
                    response = await handle(request)
                except Problem as problem:
                    response = self._refuse(problem)
            result = result_of(response.status_code)
            self._parts.metrics.add(REQUESTS, status=str(response.status_code))
            self._parts.metrics.took(ANSWERS, time.perf_counter() - begun, door="http", result=result)
            return response

        return answer

    async def _events(self, request: Request) -> Response:
        door = self._sender(request)
        async with received(request, self._parts.room, door.name, self._parts.max_body) as body:
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
        """Who keeps the key in the body is known after it only: such bodies have a room of their own."""
        known = self._sender(request) if says_who(request.headers, request.query_params.get("source")) else None
        room = self._parts.keyless if known is None else self._parts.room
        holder = known.name if known else request.client.host if request.client else ""
        async with received(request, room, holder, self._parts.max_body) as body:
            if known is not None:
                return await self._take(request, known, body.sent, lambda: read(body.text)[0])
            items, key = read(body.text)
            return await self._take(request, self._sender(request, key), body.sent, lambda: items)

    def _sender(self, request: Request, key: str | None = None) -> Door:
        door = sender(request.headers, request.query_params.get("source"), self._parts.registry, key)
        check_signed(request.headers, door, self._parts.clock())
        check_rate(self._parts, door)
        return door

    async def _take(self, request: Request, door: Door, sent: bytes, read: Callable[[], list[Item]]) -> Response:
        return _answer(await take(self._parts, request.headers, door, sent, read))

    def _refuse(self, problem: Problem) -> Response:
        self._parts.metrics.add(PROBLEMS, code=problem.code)
        return problem.response()

    async def _astray(self, request: Request, error: Exception) -> Response:
        """No such path, or another method."""
        assert isinstance(error, HTTPException)
        known = "the paths are in /openapi.json"
        return self._refuse(Problem(error.status_code, "no_such_path", f"{error.detail}; {known}"))

    async def _gone(self, request: Request, error: Exception) -> Response:
        return self._refuse(Problem(400, "gone", "the sender has gone"))

    async def _hindrance(self) -> str | None:
        if not self._parts.registry.ready:
            return "the sources are not known yet"
        try:
            await self._parts.producer.check()
        except NotTakenError as error:
            return str(error)
        return None

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
