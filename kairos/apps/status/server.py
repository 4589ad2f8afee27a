"""The three paths that every process serves: on its own port, or beside what it serves anyway."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.file import SettingsError
from kairos.apps.listening import Server, listen
from kairos.apps.status.health import Health

AT_ONCE = 50
STOP_SECONDS = 1

Hindrance = Callable[[], Awaitable[str | None]]
"""Why the process cannot work now; None: it can."""


def routes(
    metrics: Metrics,
    hindrance: Hindrance,
    stuck: Callable[[], bool] = lambda: False,
    beside: Callable[[], str | None] = lambda: None,
) -> list[Route]:
    """`/live` is 503 for what only a restart mends, `/ready` for what comes back by itself. `beside`: who does the work
    in place of a process that is well and stands by; None: it works itself."""

    async def told(_: Request) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    async def live(_: Request) -> Response:
        return PlainTextResponse("its loop is stuck\n", 503) if stuck() else PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        why = await hindrance()
        return PlainTextResponse(f"{beside() or 'ok'}\n") if why is None else PlainTextResponse(f"{why}\n", 503)

    return [Route("/metrics", told), Route("/live", live), Route("/ready", ready)]


@contextmanager
def serving(address: str | None, metrics: Metrics, health: Health) -> Iterator[None]:
    """Meanwhile, in a thread of its own, at `host:port`; None: nowhere. Raises SettingsError."""
    metrics.watch_process()
    if address is None:
        yield
        return
    host, port = parse(address)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise SettingsError(f"--status {address}: cannot listen there: {error.strerror or error}") from None

    async def hindrance() -> str | None:
        return health.hindrance

    server = Server(
        configuration(Starlette(routes=routes(metrics, hindrance, lambda: health.stuck, lambda: health.beside)))
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="status", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()


def configuration(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def parse(address: str) -> tuple[str, int]:
    """`127.0.0.1:9100`, `[::1]:9100`. Raises SettingsError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise SettingsError(f"--status {address}: expected an address and a port, such as 127.0.0.1:9100")
    return host.strip("[]"), int(port)
