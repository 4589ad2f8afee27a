"""One HTTP call, and what its failures mean: the same for every provider that is reached over HTTP.

What fails before the request has left is `Retry`, what is cut after it `Unknown` (docs/channels.md has the table).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from kairos.adapters.channels.channel import Misconfigured, Outcome, Rejected, Retry, Unknown
from kairos.adapters.channels.reach import ForbiddenError, Reach
from kairos.adapters.decoding import UnreadableError, decoder

MAX_REPLY = 65_536
"""Bytes of a reply that are read; a provider's answer is far shorter."""

# Servers close idle connections after 5 s or more. A request into one that is just being closed has an unknown outcome,
# so idle ones are given up before.
_KEEP_IDLE_SECONDS = 4.0
_CONNECT_SHARE = 0.5


_object = decoder(dict[str, Any])


class Reply(msgspec.Struct, frozen=True):
    """`cut`: the connection broke within the body, so `body` is not all of it. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    @property
    def fine(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None for anything else."""
        try:
            return None if self.cut else _object(self.body)
        except UnreadableError:
            return None


class Http:
    """Connections of one provider, opened with the first call. How many there are is up to how many calls run."""

    def __init__(self, timeout: int, reach: Reach | None = None) -> None:
        """`timeout`: ms of one call, all in. `reach`: where the URLs may lead; None: they are the configuration's."""
        self._timeout, self._reach = timeout / 1000, reach
        self._session: aiohttp.ClientSession | None = None

    def deadline(self) -> float:
        """When a message that is begun now must be done, in the event loop's time."""
        return asyncio.get_running_loop().time() + self._timeout

    async def call(
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float | None = None,
    ) -> Reply | Retry | Unknown:
        """Follows no redirect. No reason that it gives holds the URL, which may carry a token. Raises ForbiddenError,
        where there is a `reach`.

        `deadline`: of a message that takes several calls (`self.deadline()`); else the call has the whole time-out.
        """
        left = self._timeout if deadline is None else deadline - asyncio.get_running_loop().time()
        if left <= 0:
            return Retry("no time was left for the call")
        if self._reach is not None:
            self._reach.check_literal(URL(url).host or "")
        limit = aiohttp.ClientTimeout(total=left, connect=left * _CONNECT_SHARE)
        try:
            async with self._opened().request(
                method, url, headers=headers, data=body, allow_redirects=False, timeout=limit
            ) as response:
                content, cut = await _read(response)
                named = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, named, content, cut)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            if isinstance(cause := getattr(error, "os_error", None), ForbiddenError):
                raise cause from None
            if self._reach is not None and isinstance(error, aiohttp.InvalidURL):
                raise ForbiddenError("the URL is none that can be called") from None
            return Retry(f"no connection: {_why(error)}")
        except TimeoutError:
            return Unknown("no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Unknown(f"the connection was cut before an answer came: {_why(error)}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    keepalive_timeout=_KEEP_IDLE_SECONDS,
                    resolver=None if self._reach is None else self._reach.resolver(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"user-agent": "kairos"},
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """At most MAX_REPLY bytes, and whether the connection broke meanwhile: by then the status is known."""
    content = b""
    try:
        while len(content) < MAX_REPLY and (chunk := await response.content.read(MAX_REPLY)):
            content += chunk
    except (aiohttp.ClientError, OSError):  # a time-out too is an OSError
        return content[:MAX_REPLY], True
    return content[:MAX_REPLY], len(content) > MAX_REPLY


def _why(error: Exception) -> str:
    """Without address and URL."""
    cause = getattr(error, "os_error", None) or error
    return str(getattr(cause, "strerror", None) or type(error).__name__).lower()


def fault(reply: Reply, now: int, said: str = "") -> Outcome | None:
    """What the status alone says, where it says that the message was not simply taken; None for 2xx.

    `said`: the provider's own words.
    """
    reason = f"{reply.status} {said}".strip()
    if reply.fine:
        return None
    if reply.status in (502, 504):
        return Unknown(f"{reason}: a proxy that cannot tell what became of it")
    if reply.status >= 500 or reply.status in (408, 425, 429):
        return Retry(reason, retry_after(reply, now))
    if reply.status < 400 or reply.status in (401, 403, 404, 405, 407):
        return Misconfigured(reason)
    return Rejected(reason)


def retry_after(reply: Reply, now: int) -> int | None:
    """Milliseconds from the header Retry-After, which holds seconds or a date."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp() * 1000) - now) if text else None
    except (ValueError, OverflowError):
        return None


def brief(text: object, most: int = 200) -> str:
    """A provider's words on one line, for a reason."""
    return " ".join(str(text or "").split())[:most]
