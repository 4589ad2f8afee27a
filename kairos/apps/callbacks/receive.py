"""What providers report later, over HTTP, into the job: POST /callbacks/<channel> -> topic `receipts`.

A report is answered with 2xx only when Kafka has its receipts and the lists have what it says of an address; a provider
repeats what it gets another answer to.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kairos.adapters.channels.callback import CallbackAnswer, CallbackRefusedError, CallbackRequest
from kairos.adapters.channels.channel import ProviderReceipt
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.ledger import Row
from kairos.adapters.delivery.unsubscribe_links import Links
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaRefusedError
from kairos.adapters.metrics.declared import CALLBACKS, REPORTS, UNSUBSCRIBES
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.post import Post
from kairos.adapters.profiles.lists import Lists, ListsAwayError
from kairos.apps.callbacks.unsubscribe_page import UnsubscribePage
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import Clock
from kairos.apps.delivery.outcome import MOST_TEXT, storable
from kairos.apps.delivery.records import receipt, receipt_of_row
from kairos.apps.status import server as status

T = TypeVar("T")
Parser = Callable[[CallbackRequest], CallbackAnswer]

MAX_BODY = 1_000_000
"""Bytes; a report of many messages is far shorter."""
PAUSES = (100, 300, 900)
"""ms between looks into the ledger: a report may be faster than the worker that writes the provider's id down."""
PATIENCE_SECONDS = 4.0
"""Providers give up after 5 to 15 s: before that they are told to come again. What is being written meanwhile may come
twice, which is harmless."""
THREADS = 8

log = logging.getLogger(__name__)


class Finder(Protocol):
    """Of the ledger. Both block, and raise DatabaseAwayError."""

    def find(self, key: str) -> Row | None: ...

    def find_by_provider(self, channel: str, provider_id: str) -> Row | None: ...


class Writer(Protocol):
    """Of receipts. Blocks; raises KafkaAwayError."""

    def write(self, posts: Sequence[Post]) -> Sequence[None]: ...


class Callbacks:
    """`parsers`: by channel, of those whose provider reports.

    `patience`: seconds until a provider is told to come again. `links`: by which users leave, if there are any.
    """

    def __init__(
        self,
        parsers: Mapping[str, Parser],
        ledger: Finder,
        receipts: Writer,
        lists: Lists,
        clock: Clock,
        links: Links | None = None,
    ) -> None:
        self.metrics = Metrics(CALLBACKS)
        self.metrics.watch_process()
        self.patience = PATIENCE_SECONDS
        self._parsers, self._ledger, self._receipts = parsers, ledger, receipts
        self._lists, self._clock, self._links = lists, clock, links
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="callbacks")
        self._posts: Batches[Post, KafkaAwayError | None] = Batches("receipts", self._write, _Never, clock)

    def app(self) -> Starlette:
        routes = [
            Route("/callbacks/{channel}", self._endpoint, methods=["GET", "POST"]),
            *status.routes(self.metrics, self._hindrance),
        ]
        if self._links is not None:
            page = UnsubscribePage(self._links, self._lists, self.metrics, self._in_thread, self.patience, self._clock)
            routes.append(page.route())
        return Starlette(routes=routes)

    def close(self) -> None:
        self._posts.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def summary(self) -> str:
        """What came, in a line of the log: `sms.delivered 1, unsubscribe.done 2`."""
        came = Counter({f"unsubscribe.{name}": n for name, n in self.metrics.totals(UNSUBSCRIBES, "outcome").items()})
        for channel in self._parsers:
            reports = self.metrics.totals(REPORTS, "outcome", channel=channel)
            came.update({f"{channel}.{outcome}": n for outcome, n in reports.items()})
        return ", ".join(f"{name} {n}" for name, n in sorted(came.items())) or "nothing came"

    async def _hindrance(self) -> str | None:
        """None: where Kafka or the ledger is away, each report is answered so that its provider comes again."""
        return None

    async def _endpoint(self, request: Request) -> Response:
        channel = request.path_params["channel"]
        parse = self._parsers.get(channel)
        if parse is None:
            return PlainTextResponse("no provider reports to this channel", 404)
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"more than {MAX_BODY} bytes", 413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        called = CallbackRequest(request.method, request.url.query, headers, body, self._clock.now())
        try:
            answer = parse(called)
        except CallbackRefusedError as error:
            self._count(channel, "refused", f"a callback is refused: {error}")
            return PlainTextResponse(str(error), error.status)
        except Exception:  # whatever somebody sends, it is their mistake until they prove who they are
            log.exception("channel %s: a callback cannot be read", channel)
            self.metrics.add(REPORTS, channel=channel, outcome="refused")
            return PlainTextResponse("this cannot be read", 400)
        return await self._answered(channel, answer)

    async def _answered(self, channel: str, answer: CallbackAnswer) -> Response:
        try:
            async with asyncio.timeout(self.patience):
                await asyncio.gather(*(self._take(channel, each) for each in answer.receipts))
        except (KafkaAwayError, DatabaseAwayError, ListsAwayError, _UnderWayError, TimeoutError) as error:
            why = str(error) or "Kafka, the ledger or the lists are slow"
            self._count(channel, "away", f"callbacks are put off: {why}")
            return PlainTextResponse("try again later", 503, {"retry-after": "10"})
        except KafkaRefusedError as error:
            self._count(channel, "refused", f"a callback is refused: {error}")
            return PlainTextResponse("too long", 413)
        return Response(answer.body, media_type=answer.media_type)

    async def _take(self, channel: str, said: ProviderReceipt) -> None:
        """Raises KafkaAwayError, DatabaseAwayError, ListsAwayError or _UnderWayError."""
        row = await self._row(channel, said)
        if row is None:
            self._count(channel, "unknown", "a callback is about a message that the ledger lacks")
            return
        if said.opted_out:
            await self._in_thread(self._lists.opted_out, row.user_id, channel)
        for address in said.dead:
            if len(address) > MOST_TEXT:
                continue  # no address is that long
            await self._in_thread(self._lists.dead_address, row.user_id, address)
        self.metrics.add(REPORTS, channel=channel, outcome=said.status)
        if said.status == "failed":
            row = await self._settled(row)
        for post in self._news(said, row):
            failed = await self._posts.do(post)
            if failed is not None:
                raise failed

    def _news(self, said: ProviderReceipt, row: Row) -> list[Post]:
        """What goes to the job: that a message went, before that it failed. One that failed without having gone uses
        nothing up.

        The worker's own `sent` may come later; it repeats this one.
        """
        now = max(self._clock.now(), row.settled_at or 0)
        reason = None if said.reason is None else storable(said.reason, MOST_TEXT)
        news = [receipt(row, said.status, now, reason)] if _is_news(said.status, row) else []
        went = said.status == "failed" and row.state in ("sent", "unknown")
        return [receipt_of_row(row, row.reserved_at), *news] if went else news

    async def _row(self, channel: str, said: ProviderReceipt) -> Row | None:
        """By key at once, because the row is older than the call; by the provider's id with patience."""
        row = await self._in_thread(self._ledger.find, said.key) if said.key else None
        if row is None and said.provider_id:
            row = await self._by_provider(channel, said.provider_id)
        return row if row is not None and row.channel == channel else None

    async def _by_provider(self, channel: str, name: str) -> Row | None:
        row = await self._in_thread(self._ledger.find_by_provider, channel, name)
        for pause in PAUSES:
            if row is not None:
                break
            await self._clock.sleep(pause)
            row = await self._in_thread(self._ledger.find_by_provider, channel, name)
        return row

    async def _settled(self, row: Row) -> Row:
        """The row once its worker has written what became of the call. Raises _UnderWayError."""
        for pause in PAUSES:
            if row.state != "reserved":
                return row
            await self._clock.sleep(pause)
            found = await self._in_thread(self._ledger.find, row.key)
            row = found if found is not None else row
        if row.state == "reserved":
            raise _UnderWayError("the worker has not written yet what became of the call")
        return row

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _write(self, posts: Sequence[Post]) -> Sequence[KafkaAwayError | None]:
        try:
            self._receipts.write(posts)
        except KafkaAwayError as error:
            return [error] * len(posts)
        return [None] * len(posts)

    def _count(self, channel: str, outcome: str, message: str) -> None:
        """Counted each time, said once."""
        if not self.metrics.value(REPORTS, channel=channel, outcome=outcome):
            log.warning("channel %s: %s (said once; /metrics counts)", channel, message)
        self.metrics.add(REPORTS, channel=channel, outcome=outcome)


class _UnderWayError(Exception):
    """The provider was faster than the worker: it shall come again."""


class _Never(Exception):
    """Nothing is waited for here: the provider comes again."""


def _is_news(status: str, row: Row) -> bool:
    """The worker has said `sent` itself; only of what it knows nothing the provider's `sent` is new."""
    return status != "sent" or row.state == "unknown"


async def _body(request: Request) -> bytes | None:
    """None where it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body
