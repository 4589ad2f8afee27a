"""All stand-ins as one server: HTTP on one port, mail on two, and a door for whoever directs them (`/-/`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kairos.apps.demo.providers import apps, sms
from kairos.apps.demo.providers.calls import CuttingProtocol
from kairos.apps.demo.providers.desk import Desk, Fault
from kairos.apps.demo.providers.mail import MailServer
from kairos.apps.demo.providers.reports import Reporter
from kairos.apps.demo.providers.world import World
from kairos.apps.listening import listen


class ReportSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`status`: reported after each message; null: nothing by itself. `url`: where reports go (Twilio gets its own)."""

    status: str | None = None
    url: str | None = None


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """A report about the message `key`, or else about the `number`-th that was taken."""

    status: str
    key: str | None = None
    number: int | None = None
    code: str | None = None


class Open(msgspec.Struct, frozen=True):
    """Where a house listens, and the options with which clients reach it."""

    http: str
    smtp_port: int
    smtp_tls_port: int
    options: dict[str, dict[str, Any]]


@contextlib.asynccontextmanager
async def house(folder: Path, now: Callable[[], int], port: int = 0) -> AsyncIterator[tuple[Open, World]]:
    """Opens everything on loopback; `port` is that of HTTP. Raises OSError where it is taken."""
    world = World(folder, now)
    mail = MailServer(world)
    listener = listen("127.0.0.1", port)
    reporter = Reporter(world)
    app = Starlette(routes=[*sms.ROUTES, *apps.ROUTES, *_DOOR], exception_handlers={msgspec.MsgspecError: _unreadable})
    app.state.world, app.state.reporter = world, reporter
    server = _Server(
        uvicorn.Config(app, http=CuttingProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
    )
    running = asyncio.create_task(server.serve([listener]))
    try:
        smtp, smtp_tls = await mail.open()
        http = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Open(http, smtp, smtp_tls, world.options(http, smtp)), world
    finally:
        server.should_exit = server.force_exit = True
        await running
        await mail.close()
        await reporter.close()
        world.close()


class _Server(uvicorn.Server):
    """Signals are its host's affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def _unreadable(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _desk(request: Request) -> Desk:
    world: World = request.app.state.world
    if request.path_params["provider"] not in world.desks:
        raise HTTPException(404, f"there are: {', '.join(world.desks)}")
    return world.desks[request.path_params["provider"]]


async def _faults(request: Request) -> Response:
    _desk(request).faults.extend(msgspec.json.decode(await request.body(), type=list[Fault]))
    return Response(status_code=204)


async def _refusals(request: Request) -> Response:
    _desk(request).refusals = msgspec.json.decode(await request.body(), type=dict[str, str])
    return Response(status_code=204)


async def _settings(request: Request) -> Response:
    wanted = msgspec.json.decode(await request.body(), type=ReportSettings)
    desk = _desk(request)
    desk.report_status, desk.report_url = wanted.status, wanted.url
    return Response(status_code=204)


async def _report(request: Request) -> Response:
    desk, ask = _desk(request), msgspec.json.decode(await request.body(), type=Ask)
    found = desk.find(ask.key) if ask.key else next((t for t in desk.taken if t.number == ask.number), None)
    if found is None:
        return JSONResponse({"error": "no such message"}, 404)
    return JSONResponse({"answer": await request.app.state.reporter.report(found, ask.status, ask.code)})


async def _taken(request: Request) -> Response:
    return Response(msgspec.json.encode(_desk(request).taken), media_type="application/json")


_DOOR = [
    Route("/-/{provider}/faults", _faults, methods=["POST"]),
    Route("/-/{provider}/refusals", _refusals, methods=["PUT"]),
    Route("/-/{provider}/report", _settings, methods=["PUT"]),
    Route("/-/{provider}/reports", _report, methods=["POST"]),
    Route("/-/{provider}/taken", _taken, methods=["GET"]),
]
