"""Who asks: by token, or by the cookie of a session, and then with what only its own pages know."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import Response

from kairos.adapters.control.database import Control
from kairos.adapters.control.users import Users
from kairos.apps.api.answers import Problem
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.control.sign_in import SESSION_MS, SignedIn, by_cookie, by_token

CSRF = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD"})


class Doorkeeper:
    """`origin`: as browsers name it. Over https the cookie goes nowhere else, and no other host can set it."""

    def __init__(self, store: str, origin: str) -> None:
        self._store, self._origin = store, origin
        self._secure = origin.startswith("https://")
        self.cookie = "__Host-kairos" if self._secure else "kairos"

    def actor(self, request: Request, now: int) -> Actor:
        """Raises Problem, RuleStoreError."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        with Control(self._store) as control:
            if scheme.lower() == "bearer" and secret:
                try:
                    return by_token(control, secret.strip(), now)
                except NotAllowedError as error:
                    raise Problem(401, "who", str(error), WWW_Authenticate="Bearer") from None
            signed = self.signed_in(control, request, now)
            if signed is None:
                raise self._stranger(control)
        self.check_origin(request)
        if request.method not in SAFE and not hmac.compare_digest(
            request.headers.get(CSRF, "").encode(), signed.csrf.encode()
        ):
            raise Problem(403, "csrf", f"the header {CSRF} is missing, or of another session")
        return signed.actor

    def signed_in(self, control: Control, request: Request, now: int) -> SignedIn | None:
        cookie = request.cookies.get(self.cookie)
        return by_cookie(control, cookie, now) if cookie else None

    def check_origin(self, request: Request) -> None:
        """What a page of somebody else sends says so. Raises Problem."""
        origin = request.headers.get("origin")
        if request.method not in SAFE and origin is not None and origin != self._origin:
            raise Problem(403, "origin", "this comes from a page of somebody else")

    def open(self, response: Response, signed: SignedIn) -> None:
        response.set_cookie(
            self.cookie,
            signed.cookie,
            max_age=SESSION_MS // 1000,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def close(self, response: Response) -> None:
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict")

    def _stranger(self, control: Control) -> Problem:
        if not Users(control).all():
            return Problem(403, "no_users", "the rule store has no users yet: kairos users add NAME --role admin")
        return Problem(401, "who", "sign in, or show a token", WWW_Authenticate="Bearer")
