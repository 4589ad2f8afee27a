"""The API as an ASGI application: every request is told who asks, checked, and handed to its use case."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kairos.adapters.control.database import Control
from kairos.adapters.metrics.declared import API_REQUESTS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.rules.store import RuleStoreError
from kairos.apps.api.answers import Problem, answer, told
from kairos.apps.api.body import read_body
from kairos.apps.api.endpoint import Call, Endpoint, Parts
from kairos.apps.api.openapi import ENDPOINTS, PREFIX, document
from kairos.apps.api.session import Credentials, Sessions
from kairos.apps.api.who import Doorkeeper
from kairos.apps.status.server import routes
from kairos.errors import KairosError

MOST_BODY = 20_000_000
MOST_WORDS = 64_000
"""Bytes of a body without a rule folder in it."""

log = logging.getLogger(__name__)

T = TypeVar("T")
Handle = Callable[[Request], Awaitable[Response]]


class Api:
    def __init__(self, parts: Parts, door: Doorkeeper, sessions: Sessions, metrics: Metrics) -> None:
        self._parts, self._door, self._sessions, self._metrics = parts, door, sessions, metrics
        self._document = msgspec.json.encode(document())

    def app(self) -> Starlette:
        return Starlette(routes=self.routes(), exception_handlers={HTTPException: self.astray})

    def routes(self) -> list[Route]:
        asked = [(each.path, each.method, self._endpoint(each)) for each in ENDPOINTS]
        sessions = (
            ("/session", "POST", self._sign_in),
            ("/session", "GET", self._sessions.look),
            ("/session", "DELETE", self._sessions.leave),
            ("/oidc/start", "GET", self._sessions.go),
            ("/oidc/callback", "GET", self._sessions.come_back),
            ("/openapi.json", "GET", self._openapi),
        )
        doors = [
            Route(PREFIX + path, self._counted(handle), methods=[method])
            for path, method, handle in (*asked, *sessions)
        ]
        return [*doors, *routes(self._metrics, self._hindrance)]

    def _endpoint(self, endpoint: Endpoint) -> Handle:
        decode = None if endpoint.body is None else msgspec.json.Decoder(endpoint.body).decode
        most = MOST_BODY if "files" in getattr(endpoint.body, "__struct_fields__", ()) else MOST_WORDS

        async def handle(request: Request) -> Response:
            actor = await run_in_threadpool(self._door.actor, request, self._parts.clock())
            if not actor.may(endpoint.right):
                actor.need(endpoint.right)
            body = None if decode is None else await _body(request, decode, most)
            query = {name: value for name, value in request.query_params.items() if name in endpoint.query}
            call = Call(actor, request.path_params, query, body, self._parts.clock())
            return answer(await run_in_threadpool(endpoint.does, self._parts, call))

        return handle

    def _counted(self, handle: Handle) -> Handle:
        async def answered(request: Request) -> Response:
            try:
                response = await handle(request)
            except (Problem, KairosError) as error:
                response = told(error)
            except Exception:  # nobody outside is told what went wrong inside
                log.exception("%s %s", request.method, request.scope["route"].path)
                response = told(Problem(500, "mistake", "a mistake of ours; the log has it"))
            self._metrics.add(API_REQUESTS, status=str(response.status_code))
            return response

        return answered

    async def _sign_in(self, request: Request) -> Response:
        body = await _body(request, msgspec.json.Decoder(Credentials).decode, MOST_WORDS)
        return await self._sessions.enter(request, body)

    async def _openapi(self, request: Request) -> Response:
        return Response(self._document, media_type="application/json")

    async def _hindrance(self) -> str | None:
        def work() -> None:
            with Control(self._parts.store) as control:
                if not control.empty:
                    with control.read():
                        pass

        try:
            await run_in_threadpool(work)
        except RuleStoreError as error:
            return str(error)
        return None

    async def astray(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return told(
            Problem(error.status_code, "no_such_path", f"{error.detail}; the paths are in {PREFIX}/openapi.json")
        )


async def _body(request: Request, decode: Callable[[bytes], T], most: int) -> T:
    """JSON alone: no page of somebody else can send that without being asked first. Raises Problem."""
    body = await read_body(request, "application/json", most)
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise Problem(400, "body", str(error)) from None
