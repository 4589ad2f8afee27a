"""Everything else that the apprise library can reach: a hundred services, each named by a URL.

apprise says yes or no. Why not is in its log, where a status of HTTP tells more; without one the outcome is unknown.
"""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any
from urllib.parse import quote, urlsplit

import apprise
import msgspec

from kairos.adapters.channels.channel import (
    Accepted,
    Message,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.channels.http_call import Reply, fault
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings
from kairos.adapters.channels.secret import Secret


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`url`: apprise's, a secret because most hold one; `{address}` in it stands for the message's address.
    `threads`: how many calls run at once, because apprise blocks."""

    url: Secret
    threads: int = 16


_LOGIN = (401, 407)
_PLACE = "{address}"
_SAID: ContextVar[list[str] | None] = ContextVar("said", default=None)
_STATUS = re.compile(r"error=(\d{3})\b")


class _Listener(logging.Handler):
    """Keeps what apprise logs for the call in whose context it logs."""

    def emit(self, record: logging.LogRecord) -> None:
        said = _SAID.get()
        if said is not None:
            said.append(record.getMessage())


_LISTENER = _Listener(logging.WARNING)


class Apprise:
    def __init__(self, options: Options, around: Surroundings) -> None:
        self._url, self._timeout, self._now = options.url.reveal(), around.timeout / 1000, around.now
        if _PLACE in urlsplit(self._url).netloc:
            raise ChannelSettingsError(f"{around.place}.url: {_PLACE} may not stand where the URL names the server")
        if not isinstance(self._service("address"), apprise.NotifyBase):
            raise ChannelSettingsError(f"{around.place}.url: apprise knows no service for this URL")
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="apprise")
        logger = logging.getLogger("apprise")
        logger.addHandler(_LISTENER)  # adding it twice changes nothing
        logger.propagate = False  # its lines may hold the URL

    async def send(self, message: Message) -> Outcome:
        if _PLACE in self._url and not message.address:
            return Rejected("the URL needs an address")
        loop = asyncio.get_running_loop()
        said: list[str] = []
        context = copy_context()
        context.run(_SAID.set, said)
        try:
            async with asyncio.timeout(self._timeout):
                taken = await loop.run_in_executor(self._threads, context.run, self._notify, message)
        except TimeoutError:
            return Unknown("no answer in time")
        if taken is None:
            return Rejected("apprise cannot make a service of the URL with this address")
        return Accepted() if taken else _refusal(said, self._now(), for_all=_PLACE not in self._url)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _service(self, address: str) -> Any:
        service = apprise.Apprise.instantiate(
            self._url.replace(_PLACE, quote(address, safe="")), suppress_exceptions=True
        )
        if service:
            # apprise waits for each of them in turn
            service.socket_connect_timeout = service.socket_read_timeout = self._timeout / 2
        return service

    def _notify(self, message: Message) -> bool | None:
        """Whether it was taken; None where the URL makes no service."""
        service = self._service(message.address or "")
        if not service:
            return None
        title = message.headers.get("title") or message.headers.get("subject") or ""
        return bool(service.notify(body=message.text, title=title))


def _refusal(said: list[str], now: int, *, for_all: bool) -> Outcome:
    """Only the status is repeated: a log line may hold the URL. `for_all`: the URL is the same for every address."""
    statuses = [int(found[1]) for line in said if (found := _STATUS.search(line))]
    if not statuses:
        return Unknown("apprise gave no reason")
    outcome = fault(Reply(statuses[-1], {}, b""), now, "said the service") or Retry("refused without a reason")
    if isinstance(outcome, Misconfigured) and statuses[-1] not in _LOGIN and not for_all:
        return Refused(outcome.reason)  # one address says nothing of the others
    return outcome


def open_channel(options: Options, around: Surroundings) -> Apprise:
    return Apprise(options, around)
