"""Console and API as one process: one configuration, one port, until told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kairos.adapters.settings.api import ApiSettings
from kairos.apps.api.endpoint import Parts
from kairos.apps.api.openapi import PREFIX
from kairos.apps.api.process import made_of, serve_app
from kairos.apps.api.server import Api
from kairos.apps.console.answers import Answers
from kairos.apps.console.console import Console
from kairos.apps.console.screen import ConsoleParts
from kairos.apps.console.visitors import Visitors


def serve(settings: ApiSettings, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Raises SettingsError, or OSError for a port that is taken."""
    app, console = _made(settings, _now)
    console.make_ready()
    serve_app(settings, "console", app, lambda address: ready(f"{address}/"))


def console_of(settings: ApiSettings, clock: Callable[[], int]) -> Starlette:
    """Raises SettingsError."""
    return _made(settings, clock)[0]


def _made(settings: ApiSettings, clock: Callable[[], int]) -> tuple[Starlette, Console]:
    made = made_of(settings, clock)
    api = Api(made.parts, made.door, made.sessions, made.metrics)
    parts = ConsoleParts(**{each.name: getattr(made.parts, each.name) for each in fields(Parts)}, answers=Answers())
    visitors = Visitors(made.parts.store, made.door)
    console = Console(parts, visitors, made.sessions, settings.api.oidc is not None)

    async def astray(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if request.url.path.startswith(PREFIX):
            return await api.astray(request, error)
        return await console.astray(request, error.status_code)

    routes = [*api.routes(), *console.routes()]
    return Starlette(routes=routes, exception_handlers={HTTPException: astray}), console


def _now() -> int:
    return time.time_ns() // 1_000_000
