"""One call to a stand-in over HTTP: its faults, around what the provider itself does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kairos.apps.demo.providers.desk import Desk, Fault
from kairos.apps.demo.providers.world import World

Handle = Callable[[Request, World, Desk, Fault], Awaitable[Response]]
SLOW_SECONDS = 60.0


class CuttingProtocol(HttpToolsProtocol):
    """ASGI has no word for cutting a connection: applications find it under `scope["state"]["cut"]`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self.transport.abort


def sending(provider: str, path: str, handle: Handle) -> Route:
    """The route by which the provider takes messages: `handle` is what it does when nothing befalls the call."""

    async def endpoint(request: Request) -> Response:
        world: World = request.app.state.world
        desk = world.desks[provider]
        fault = desk.next_fault()
        if fault.kind == "limited":
            headers = {} if fault.after is None else {"retry-after": str(fault.after)}
            return Response("slow down", 429, headers)
        if fault.kind == "error":
            return Response("Internal Server Error", 500)
        if fault.kind == "dropped":
            return _cut(request)
        response = await handle(request, world, desk, fault)
        if fault.kind == "slow":
            await _gone(request)
        if fault.kind == "cut":
            return _cut(request)
        return Response('{"oops', 200, media_type="application/json") if fault.kind == "garbled" else response

    return Route(path, endpoint, methods=["POST"])


def _cut(request: Request) -> Response:
    request.scope["state"]["cut"]()
    return Response()


async def _gone(request: Request) -> None:
    """Until the client has given up."""
    async with asyncio.timeout(SLOW_SECONDS):
        while (await request.receive())["type"] != "http.disconnect":
            pass
