"""Signing in and out: by name and password, or by an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kairos.adapters.control.database import Control
from kairos.apps.api.answers import HEADERS, Problem, answer
from kairos.apps.api.oidc import Begun, Provider
from kairos.apps.api.who import Doorkeeper
from kairos.usecases.control.sign_in import SignedIn, by_name, by_password, sign_out

BEGUN = "kairos-oidc"
BEGUN_SECONDS = 600
Word = Annotated[str, Meta(max_length=1_000)]


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    name: Word
    password: Word


class Session(msgspec.Struct):
    """`csrf`: what the header X-CSRF-Token says with every change."""

    name: str
    roles: list[str]
    csrf: str


class Sessions:
    """`home`: where a browser goes once it is signed in. `clock`: epoch ms."""

    def __init__(
        self, store: str, door: Doorkeeper, provider: Provider | None, clock: Callable[[], int], home: str
    ) -> None:
        self._store, self._door, self._provider, self._clock, self._home = store, door, provider, clock, home

    async def enter(
        self, request: Request, body: Credentials, make: Callable[[Session], Response] = answer
    ) -> Response:
        """`make`: the answer for whoever is signed in now."""
        address = request.client.host if request.client else ""

        def work() -> SignedIn:
            with Control(self._store) as control:
                return by_password(control, body.name, body.password, address, self._clock())

        self._door.check_origin(request)
        return self._opened(await run_in_threadpool(work), make)

    async def look(self, request: Request) -> Response:
        signed = await run_in_threadpool(self._signed, request)
        if signed is None:
            raise Problem(401, "who", "nobody is signed in")
        return answer(_told(signed))

    async def leave(self, request: Request) -> Response:
        self._door.check_origin(request)
        cookie = request.cookies.get(self._door.cookie)
        if cookie:
            await run_in_threadpool(self._end, cookie)
        response = Response(status_code=204, headers=HEADERS)
        self._door.close(response)
        return response

    async def go(self, request: Request) -> Response:
        begun = Begun()
        response = RedirectResponse(await self._outside().leave(begun), 303, HEADERS)
        response.set_cookie(
            BEGUN,
            str(begun),
            max_age=BEGUN_SECONDS,
            path="/api/v1/oidc",
            secure=self._door.cookie.startswith("__Host-"),
            httponly=True,
            samesite="lax",
        )
        return response

    async def come_back(self, request: Request) -> Response:
        begun = Begun(request.cookies.get(BEGUN) or "-")
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        name = await self._outside().name(begun, state, code)

        def work() -> SignedIn:
            with Control(self._store) as control:
                return by_name(control, name, self._clock())

        signed = await run_in_threadpool(work)
        # A page of our own, which goes on by itself. Where one is led straight on, it is the provider that leads, and a
        # cookie that is for our own pages alone stays behind.
        response = self._opened(signed, lambda _told: Response("", 200, HEADERS | {"Refresh": f"0;url={self._home}"}))
        response.delete_cookie(BEGUN, path="/api/v1/oidc")
        return response

    def _opened(self, signed: SignedIn, make: Callable[[Session], Response]) -> Response:
        response = make(_told(signed))
        self._door.open(response, signed)
        return response

    def _signed(self, request: Request) -> SignedIn | None:
        with Control(self._store) as control:
            return self._door.signed_in(control, request, self._clock())

    def _end(self, cookie: str) -> None:
        with Control(self._store) as control:
            sign_out(control, cookie)

    def _outside(self) -> Provider:
        if self._provider is None:
            raise Problem(404, "not_there", "no provider is configured: api.oidc")
        return self._provider


def _told(signed: SignedIn) -> Session:
    return Session(signed.actor.name, sorted(signed.actor.roles or ()), signed.csrf)
