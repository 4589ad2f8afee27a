"""The callbacks' server in a thread, with ledger, topic and clock in memory, and the stand-ins that report to it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.channels.channel import Accepted
from kairos.adapters.channels.providers import callback_parser
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.ledger import Change, Row
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaRefusedError
from kairos.adapters.metrics.declared import REPORTS
from kairos.adapters.post import Post
from kairos.adapters.profiles.lists import FileLists
from kairos.apps.callbacks.receive import Callbacks
from tests.channels.channel_kit import KEY, NOW, House, message
from tests.delivery.memory_ledger import MemoryLedger

CHANNELS = {"sms": "twilio", "sms_cn": "aliyun_sms", "wechat": "wechat", "webhook": "webhook"}
ADDRESSES = {"sms": "+8613800000000", "sms_cn": "+8613800000000", "wechat": "openid-1", "webhook": None}


class Topic:
    """Receipts as Kafka would have them, or nobody there."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.away = self.refuses = False
        self.open = threading.Event()
        self.open.set()

    def write(self, posts: Sequence[Post]) -> list[None]:
        if self.away:
            raise KafkaAwayError("nobody there")
        if self.refuses:
            raise KafkaRefusedError("too long")
        assert self.open.wait(60)
        self.posts.extend(posts)
        return [None] * len(posts)


class Clock:
    """Stands still; who sleeps is woken at once, and may have something happen meanwhile."""

    def __init__(self) -> None:
        self.slept: list[int] = []
        self.meanwhile: dict[int, Any] = {}

    def now(self) -> int:
        return NOW

    async def sleep(self, ms: int) -> None:
        self.slept.append(ms)
        self.meanwhile.pop(ms, lambda: None)()


class Ledger(MemoryLedger):
    away = False

    def find(self, key: str) -> Row | None:
        if self.away:
            raise DatabaseAwayError("nobody there")
        return super().find(key)


class Office:
    """The callbacks' server, with a ledger and a topic in memory, both empty for each test."""

    def __init__(self, providers: House, port: int, lists: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.providers, self.lists_file = providers, lists
        self.ledger, self.topic, self.clock = Ledger(), Topic(), Clock()
        self.parsers = {name: self._parser(name) for name in CHANNELS}
        self.callbacks = Callbacks(self.parsers, self.ledger, self.topic, FileLists(lists), self.clock)
        self.callbacks.patience = 60.0  # machines differ

    def clear(self) -> None:
        self.ledger.rows.clear()
        self.topic.posts.clear()
        self.ledger.away = self.topic.away = False
        self.clock.slept.clear()
        for counter in self.callbacks.metrics._counters.values():
            counter.clear()
        self.lists_file.unlink(missing_ok=True)

    def options(self, channel: str) -> dict[str, Any]:
        """Twilio reports to the URL that comes with each message."""
        more = {"status_callback": f"{self.url}/callbacks/sms"} if channel == "sms" else {}
        return {**self.providers.opened.options[CHANNELS[channel]], **more}

    def _parser(self, channel: str) -> Any:
        parser = callback_parser(CHANNELS[channel], self.options(channel))
        assert parser is not None
        return parser

    def send(self, channel: str, state: str = "sent", keep_id: bool = True) -> Row:
        """A message through the provider, and the row that the worker would have written."""
        provider = CHANNELS[channel]
        desk = self.providers.desk(provider)
        desk.report_url = f"{self.url}/callbacks/{channel}"
        options = {key: value for key, value in self.options(channel).items() if key == "status_callback"}
        sent = message(channel=channel, address=ADDRESSES[channel], text="thing: tea")
        (outcome,) = self.providers.send(provider, sent, **options)
        assert isinstance(outcome, Accepted)
        row = Row(KEY, sent.activity, "u1", sent.occurrence, 1, channel, state, "w", 0, 1, NOW - 9)
        settled = NOW - 5 if state != "reserved" else None
        row = msgspec.structs.replace(row, settled_at=settled, provider_id=outcome.provider_id if keep_id else None)
        self.ledger.apply([Change(None, row)])
        return row

    def report(self, channel: str, status: str, code: str | None = None) -> str:
        """The provider reports the message it took; what it was answered."""
        body = json.dumps({"number": 1, "status": status, "code": code}).encode()
        url = f"{self.providers.opened.http}/-/{CHANNELS[channel]}/reports"
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
            return str(json.loads(answer.read())["answer"])

    def counted(self) -> dict[str, int]:
        """Reports by `channel.outcome`."""
        metrics = self.callbacks.metrics
        return {
            f"{channel}.{outcome}": count
            for channel in CHANNELS
            for outcome, count in metrics.totals(REPORTS, "outcome", channel=channel).items()
        }

    def receipts(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(post.value) for post in self.topic.posts]

    def lists(self) -> list[dict[str, str]]:
        lines = self.lists_file.read_bytes().splitlines() if self.lists_file.exists() else []
        return [msgspec.json.decode(line) for line in lines]


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
