"""Who looks at a page: whoever is signed in; and whoever is at this machine, while the rule store has no users."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request

from kairos.adapters.control.database import Control
from kairos.adapters.control.users import Users
from kairos.apps.api.answers import Problem
from kairos.apps.api.who import SAFE, Doorkeeper
from kairos.apps.inputs.author import user_name
from kairos.usecases.control.rights import Actor

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Visitor(msgspec.Struct, frozen=True):
    """`csrf`: what every form of the page says. `signed_in` False: nobody had to prove who they are."""

    actor: Actor
    csrf: str
    signed_in: bool


class Visitors:
    def __init__(self, store: str, door: Doorkeeper) -> None:
        self._store, self._door = store, door
        self._csrf = secrets.token_urlsafe(32)

    def visit(self, request: Request, now: int) -> Visitor | None:
        """None: nobody is signed in. Raises Problem, RuleStoreError."""
        with Control(self._store) as control:
            signed = self._door.signed_in(control, request, now)
            if signed is not None:
                self._door.check_origin(request)
                return Visitor(signed.actor, signed.csrf, True)
            if not control.empty and Users(control).all():
                return None
        _check_local(request)
        return Visitor(Actor(user_name()), self._csrf, False)

    @staticmethod
    def check_form(visitor: Visitor, form: Mapping[str, str]) -> None:
        """Raises Problem."""
        if not hmac.compare_digest(form.get("csrf", "").encode(), visitor.csrf.encode()):
            raise Problem(403, "csrf", "the form is of another session: go back, load the page anew, do it again")


def _check_local(request: Request) -> None:
    """A name that leads here by somebody else's DNS, or a page of somebody else, is not this machine."""
    host = request.headers.get("host", "")
    if not _is_here(request.client.host if request.client else "") or urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
        raise Problem(403, "no_users", "the rule store has no users yet: kairos users add NAME --role admin")
    origin = request.headers.get("origin")
    if request.method not in SAFE and origin is not None and origin != f"http://{host}":
        raise Problem(403, "origin", "this comes from a page of somebody else")


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
