"""The API as a process: one configuration, one port, until told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from kairos.adapters.metrics.declared import API
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.api import ApiSettings, secret_of
from kairos.apps.api.endpoint import Parts
from kairos.apps.api.oidc import Provider
from kairos.apps.api.openapi import PREFIX
from kairos.apps.api.server import Api
from kairos.apps.api.session import Sessions
from kairos.apps.api.who import Doorkeeper
from kairos.apps.listening import Server, listen
from kairos.apps.process import begin, on_stop

AT_ONCE = 500
GRACE_SECONDS = 10


def serve(settings: ApiSettings, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Raises SettingsError, or OSError for a port that is taken."""
    serve_app(settings, "api", api_of(settings, _now).app(), lambda address: ready(f"{address}{PREFIX}"))


def serve_app(settings: ApiSettings, part: str, app: Starlette, ready: Callable[[str], None]) -> None:
    """`part`: as logs name the process."""
    begin(part=part)
    asyncio.run(_serve(settings, app, ready))


@dataclass(frozen=True)
class Made:
    """What a process over HTTP is put together from."""

    parts: Parts
    door: Doorkeeper
    sessions: Sessions
    metrics: Metrics


def api_of(settings: ApiSettings, clock: Callable[[], int]) -> Api:
    """Raises SettingsError."""
    made = made_of(settings, clock)
    return Api(made.parts, made.door, made.sessions, made.metrics)


def made_of(settings: ApiSettings, clock: Callable[[], int]) -> Made:
    """Raises SettingsError."""
    api, store = settings.api, settings.rules.store
    folder = settings.warehouse.folder
    warehouse = Path(folder) if folder else None
    parts = Parts(store, Path(settings.place), Path(api.rules), Path(api.plans), warehouse, clock)
    provider = None
    if api.oidc is not None:
        secret = secret_of(api.oidc, settings.place)
        provider = Provider(api.oidc, secret, f"{api.origin}{PREFIX}/oidc/callback")
    door, metrics = Doorkeeper(store, api.origin), Metrics(API)
    metrics.watch_process()
    return Made(parts, door, Sessions(store, door, provider, clock, f"{api.origin}/"), metrics)


async def _serve(settings: ApiSettings, app: Starlette, ready: Callable[[str], None]) -> None:
    listener = listen(settings.api.host, settings.api.port)
    server = Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    on_stop(server.stop)
    host, port = listener.getsockname()[:2]
    ready(f"http://{host}:{port}")
    await server.serve([listener])


def _now() -> int:
    return time.time_ns() // 1_000_000
