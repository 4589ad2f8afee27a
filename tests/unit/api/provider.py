"""A small OpenID Connect provider, that lies when it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kairos.apps.listening import Server, listen

KEY, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))


class FakeProvider:
    """`lies`: claims in place of the true ones. `key`, `algorithm`: what it signs with."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.lies: dict[str, Any] = {}
        self.key: Any = KEY
        self.algorithm = "RS256"
        self.asked: dict[str, str] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._described),
                Route("/jwks", self._keys),
                Route("/authorize", self._page),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _described(self, _: Request) -> Response:
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return JSONResponse({"issuer": self.issuer, **{name: self.issuer + path for name, path in ends.items()}})

    async def _page(self, request: Request) -> Response:
        """Where whoever is sent here says yes, and goes back."""
        self.asked = dict(request.query_params)
        back = f"{self.asked['redirect_uri']}?{urlencode({'state': self.asked['state'], 'code': 'c0de'})}"
        return HTMLResponse(f'<a href="{back.replace("&", "&amp;")}">It is me</a>')

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [{**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1"}]})

    async def _token(self, request: Request) -> Response:
        said = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        digest = base64.urlsafe_b64encode(hashlib.sha256(said["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        proven = digest == self.asked["code_challenge"] and said["client_secret"] == "s3cret" and said["code"] == "c0de"
        if not proven:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {
            "iss": self.issuer,
            "aud": "kairos",
            "iat": 1_700_000_000,
            "exp": 4_000_000_000,
            "nonce": self.asked["nonce"],
            "email": "ann",
            "email_verified": True,
            **self.lies,
        }
        return JSONResponse({"id_token": jwt.encode(claims, self.key, self.algorithm, {"kid": "k1"})})


@contextmanager
def provider_at(host: str) -> Iterator[FakeProvider]:
    """`host`: a name of this machine."""
    listener = listen("127.0.0.1", 0)
    fake = FakeProvider(f"http://{host}:{listener.getsockname()[1]}")
    server = Server(uvicorn.Config(fake.app(), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.stop()
        thread.join()
