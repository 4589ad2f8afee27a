"""Signing in elsewhere: OpenID Connect, by code with PKCE. Who somebody is, is said there; what they may, here."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt

from kairos.adapters.settings.api import Oidc
from kairos.apps.api.answers import Problem

WAIT_SECONDS = 10
ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""With two keys each: nobody who can check a token can make one."""


class Begun:
    """What the browser keeps between leaving and coming back."""

    def __init__(self, text: str | None = None) -> None:
        parts = text.split(".") if text else [secrets.token_urlsafe(32) for _ in range(3)]
        if len(parts) != 3:
            raise Problem(400, "oidc", "the sign-in was begun elsewhere; begin again")
        self.state, self.nonce, self.verifier = parts

    def __str__(self) -> str:
        return ".".join((self.state, self.nonce, self.verifier))


class Provider:
    """`redirect`: where it sends people back to."""

    def __init__(self, settings: Oidc, secret: str, redirect: str) -> None:
        self._settings, self._secret, self._redirect = settings, secret, redirect
        self._known: Mapping[str, Any] | None = None

    async def leave(self, begun: Begun) -> str:
        """The address to which a browser is sent. Raises Problem."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect,
            "scope": "openid email profile",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{(await self._described())['authorization_endpoint']}?{urlencode(asked)}"

    async def name(self, begun: Begun, state: str, code: str) -> str:
        """The name of whoever has come back. Raises Problem."""
        if not secrets.compare_digest(begun.state.encode(), state.encode()):
            raise Problem(400, "oidc", "the sign-in was begun elsewhere; begin again")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._settings.client_id,
            "client_secret": self._secret,
            "code_verifier": begun.verifier,
        }
        said = await self._call("POST", str((await self._described())["token_endpoint"]), form)
        claims = await self._claims(str(said.get("id_token", "")))
        if claims.get("nonce") != begun.nonce:
            raise Problem(403, "oidc", "the token belongs to another sign-in")
        if self._settings.claim == "email" and claims.get("email_verified") is False:
            raise Problem(403, "oidc", "the provider has not verified this mail address")
        name = claims.get(self._settings.claim)
        if not isinstance(name, str) or not name:
            raise Problem(403, "oidc", f"the provider does not say '{self._settings.claim}'")
        return name

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Of a token that the provider has signed, for us, and that is not over."""
        keys = await self._call("GET", str((await self._described())["jwks_uri"]))
        try:
            key = jwt.PyJWKSet.from_dict(dict(keys))[jwt.get_unverified_header(token).get("kid", "")]
            return jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._settings.client_id,
                issuer=self._settings.issuer,
                leeway=30,
                options={"require": ["exp", "iat", "iss", "aud", "nonce"]},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise Problem(403, "oidc", f"the provider's token is not valid: {type(error).__name__}") from None

    async def _described(self) -> Mapping[str, Any]:
        if self._known is None:
            found = await self._call("GET", f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer:
                raise Problem(502, "oidc", "the provider calls itself by another name")
            self._known = found
        return self._known

    async def _call(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=WAIT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, url, data=form, allow_redirects=False) as response,
            ):
                said = await response.json()
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise Problem(502, "oidc", f"the provider does not answer: {type(error).__name__}") from None
        if response.status != 200 or not isinstance(said, dict):
            raise Problem(502, "oidc", f"the provider answers {response.status}")
        return said
