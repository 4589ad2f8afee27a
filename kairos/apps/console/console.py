"""The console as routes: every request is told who looks, in which language, and handed to its screen."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kairos.apps.api.answers import Problem, status_of
from kairos.apps.api.body import read_body
from kairos.apps.api.endpoint import Call
from kairos.apps.api.session import Credentials, Sessions
from kairos.apps.console.pages import HEADERS, Pages, assets
from kairos.apps.console.ready import make_ready
from kairos.apps.console.screen import ConsoleParts, Deed, Screen
from kairos.apps.console.table import DEEDS, SCREENS
from kairos.apps.console.texts import LANGUAGES, language_of, read_texts
from kairos.apps.console.visitors import Visitor, Visitors
from kairos.errors import KairosError

LANGUAGE = "kairos-language"
YEAR = 365 * 86_400
PAGES_AT_ONCE = 8
"""Threads for pages: more would share one interpreter, and all be late, where those who came first could be served. A
few wait for a database, or for one answer, without taking the processor from the others."""
SLOW_AT_ONCE = 4
"""Threads for what takes long; however many people wait for it, the other pages have threads of their own."""
MOST_FORM = 1_000_000
"""Bytes; a rule file may be some hundred thousand, and a form writes some characters with three."""
UNDONE = "nobody is signed in any more, so nothing was done: sign in, then do it again"

log = logging.getLogger(__name__)

Handle = Callable[[Request], Awaitable[Response]]


class Console:
    def __init__(self, parts: ConsoleParts, visitors: Visitors, sessions: Sessions, outside: bool) -> None:
        """`outside`: an OpenID Connect provider vouches for people, too."""
        self._parts, self._visitors, self._sessions, self._outside = parts, visitors, sessions, outside
        self._pages, self._texts, self._assets = Pages(), read_texts(), assets()
        self._quick, self._slow = CapacityLimiter(PAGES_AT_ONCE), CapacityLimiter(SLOW_AT_ONCE)

    def routes(self) -> list[Route]:
        screens = [
            Route(each.path, self._told(self._screen(each)), methods=["POST" if each.posted else "GET"])
            for each in SCREENS
        ]
        deeds = [Route(each.path, self._told(self._deed(each)), methods=["POST"]) for each in DEEDS]
        return [
            *screens,
            *deeds,
            Route("/sign-in", self._told(self._door)),
            Route("/sign-in", self._told(self._enter), methods=["POST"]),
            Route("/sign-out", self._told(self._leave), methods=["POST"]),
            Route("/assets/{name}", self._asset),
        ]

    def make_ready(self) -> None:
        """What pages share is made now, and not by whoever comes first."""
        self._pages.make_ready()
        make_ready(self._parts)

    async def astray(self, request: Request, status: int = 404) -> Response:
        """A page for a path that is none, or is not asked in this way."""
        return self._failed(request, Problem(status, "no_such_path", "there is no such page"))

    # -------------------------------------------------------------------------------------------------------- screens
    def _screen(self, screen: Screen) -> Handle:
        async def handle(request: Request) -> Response:
            visitor = await self._visitor(request)
            if visitor is None and screen.posted:  # a page in the place of what somebody writes would take it away
                raise Problem(401, "signed_out", "nobody is signed in any more: copy what you wrote, then sign in")
            if visitor is None:
                return _go(f"/sign-in?next={quote(_here(request))}")
            form = await self._form_of(request, visitor) if screen.posted else None
            visitor.actor.need(screen.right)
            call = self._call(request, visitor, {k: request.query_params.get(k, "") for k in screen.query}, form)

            def page() -> Response:
                values = screen.does(replace(self._parts, answers=self._parts.answers.of_page()), call)
                return self._page(request, screen.name, {**values, "query": call.query}, visitor)

            slow = any(map(call.query.get, screen.slow))
            return await to_thread.run_sync(page, limiter=self._slow if slow else self._quick)

        return handle

    def _deed(self, deed: Deed) -> Handle:
        async def handle(request: Request) -> Response:
            visitor = await self._visitor(request)
            if visitor is None:
                return _go(f"/sign-in?undone=yes&next={quote(_from(request))}")
            form = await self._form_of(request, visitor)
            visitor.actor.need(deed.right)
            call = self._call(request, visitor, {}, form)
            return _go(await run_in_threadpool(deed.does, self._parts, call))

        return handle

    async def _form_of(self, request: Request, visitor: Visitor) -> dict[str, str]:
        """Raises Problem where it is no form of this visitor's own pages."""
        form = await _form(request)
        self._visitors.check_form(visitor, form)
        return form

    def _call(self, request: Request, visitor: Visitor, query: Mapping[str, str], body: Any = None) -> Call:
        return Call(visitor.actor, request.path_params, query, body, self._parts.clock())

    async def _visitor(self, request: Request) -> Visitor | None:
        return await run_in_threadpool(self._visitors.visit, request, self._parts.clock())

    # -------------------------------------------------------------------------------------------------------- sign in
    async def _door(self, request: Request) -> Response:
        problem = UNDONE if request.query_params.get("undone") else ""
        return self._sign_in_page(request, problem, request.query_params.get("next", ""), 200)

    async def _enter(self, request: Request) -> Response:
        form = await _form(request)
        try:
            body = msgspec.convert({name: form.get(name, "") for name in ("name", "password")}, Credentials)
            next_ = _own_path(form.get("next", ""))
            return await self._sessions.enter(request, body, lambda _told: _go(next_))
        except (KairosError, msgspec.ValidationError) as error:
            return self._sign_in_page(request, str(error), form.get("next", ""), 403)

    async def _leave(self, request: Request) -> Response:
        visitor = await self._visitor(request)
        if visitor is not None:
            await self._form_of(request, visitor)
        response = await self._sessions.leave(request)
        response.status_code = 303
        response.headers["Location"] = "/sign-in"
        return response

    def _sign_in_page(self, request: Request, problem: str, next_: str, status: int) -> Response:
        values = {"problem": problem, "next": _own_path(next_), "outside": self._outside, "query": {}}
        return self._page(request, "sign-in", values, None, status)

    # ---------------------------------------------------------------------------------------------------------- pages
    def _page(
        self, request: Request, name: str, values: Mapping[str, Any], visitor: Visitor | None, status: int = 200
    ) -> Response:
        asked = request.query_params.get("lang")
        language = language_of(asked, request.cookies.get(LANGUAGE), request.headers.get("accept-language", ""))
        frame = {
            "lang": language,
            "languages": self._others(request, language),
            "visitor": visitor,
            "csrf": visitor.csrf if visitor is not None else "",
            "menu": [each for each in SCREENS if each.menu],
            "name": name,
            "here": _here(request),
            "with_": lambda **more: _here(request, **more),
            "zone": "UTC",
            "title": "",
            "command": "",
            "places": {"conf": str(self._parts.conf), "rules": str(self._parts.rules)},
        }
        text = self._pages.page(name, self._texts[language], {**frame, **values})
        response = HTMLResponse(text, status, HEADERS)
        if asked in LANGUAGES:
            secure = request.url.scheme == "https"
            response.set_cookie(LANGUAGE, asked, max_age=YEAR, httponly=True, samesite="lax", secure=secure)
        return response

    @staticmethod
    def _others(request: Request, language: str) -> dict[str, tuple[str, str]]:
        """Code -> its own name, and the page in it; none for a page that only a form leads to."""
        codes = LANGUAGES.items() if request.method == "GET" else ()
        return {code: (own, _here(request, lang=code)) for code, own in codes if code != language}

    def _told(self, handle: Handle) -> Handle:
        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except (Problem, KairosError) as error:
                return self._failed(request, error, await self._still(request))
            except Exception:  # nobody outside is told what went wrong inside
                log.exception("%s %s", request.method, request.scope["route"].path)
                return self._failed(request, Problem(500, "mistake", "a mistake of ours; the log has it"))

        return answered

    async def _still(self, request: Request) -> Visitor | None:
        """Who is signed in although something failed; None also where nobody can tell."""
        try:
            return await self._visitor(request)
        except (Problem, KairosError):
            return None

    def _failed(self, request: Request, error: Problem | KairosError, visitor: Visitor | None = None) -> Response:
        status, _ = status_of(error)
        return self._page(request, "failed", {"problem": str(error), "status": status, "query": {}}, visitor, status)

    async def _asset(self, request: Request) -> Response:
        found = self._assets.get(request.path_params["name"])
        if found is None:
            return await self.astray(request)
        headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(found[0], 200, headers, found[1])


async def _form(request: Request) -> dict[str, str]:
    """Raises Problem."""
    body = await read_body(request, "application/x-www-form-urlencoded", MOST_FORM)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise Problem(400, "body", "this is no form") from None


def _go(path: str) -> Response:
    return RedirectResponse(path, 303, HEADERS)


def _here(request: Request, **more: str) -> str:
    """This page with its state, as a path; `more` of the query set anew."""
    query = {**request.query_params, **more}
    path = quote(request.url.path)
    return f"{path}?{urlencode(query)}" if query else path


def _from(request: Request) -> str:
    """The page with the form, as its browser names it; nobody else's."""
    came = urlsplit(request.headers.get("referer", ""))
    path = f"{came.path}?{came.query}" if came.query else came.path
    return path if came.netloc == request.headers.get("host") else ""


def _own_path(path: str) -> str:
    """A path of the console, or "/": nobody is led elsewhere."""
    fine = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if fine else "/"
