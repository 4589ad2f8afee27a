"""An access token that concurrent calls share: fetched once, before it expires or when the provider refuses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from kairos.adapters.channels.channel import Misconfigured, Retry, Unknown
from kairos.adapters.channels.http_call import Reply

Failure = Retry | Misconfigured | Unknown
_EARLY = 60_000
"""ms before its end in which a token is not used any more: a call under way needs some of it."""


class Token(msgspec.Struct, frozen=True):
    """`until`: epoch ms."""

    text: str
    until: int


Fetch = Callable[[str | None], Awaitable[Token | Retry | Misconfigured]]
"""Asks the provider for a token; the argument is the one that it has just refused."""


class TokenCache:
    def __init__(self, fetch: Fetch, now: Callable[[], int]) -> None:
        self._fetch, self._now = fetch, now
        self._token: Token | None = None
        self._refresh: asyncio.Task[Token | Retry | Misconfigured] | None = None

    async def call(
        self, call: Callable[[str], Awaitable[Reply | Failure]], refused: Callable[[Reply], bool], deadline: float
    ) -> Reply | Failure:
        """The call with a token; a refused token is replaced and the call repeated, once.

        `deadline`: in the event loop's time.
        """
        token = await self._current(None, deadline)
        if not isinstance(token, str):
            return token
        reply = await call(token)
        if not isinstance(reply, Reply) or not refused(reply):
            return reply
        token = await self._current(token, deadline)
        return await call(token) if isinstance(token, str) else token

    def close(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()

    async def _current(self, refused: str | None, deadline: float) -> str | Failure:
        known = self._token
        if known is not None and known.text != refused and self._now() < known.until - _EARLY:
            return known.text
        if self._refresh is None:
            self._refresh = asyncio.create_task(self._renew(refused))
        try:
            async with asyncio.timeout_at(deadline):
                fetched = await asyncio.shield(self._refresh)
        except TimeoutError:
            return Retry("no access token in time")
        return fetched.text if isinstance(fetched, Token) else fetched

    async def _renew(self, refused: str | None) -> Token | Retry | Misconfigured:
        try:
            fetched = await self._fetch(refused)
        finally:
            self._refresh = None
        if isinstance(fetched, Token):
            self._token = fetched
        return fetched
