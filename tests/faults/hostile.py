"""What may come in at any door: seeded, bounded, and as hostile as we know. Pure data; nothing here sends."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

MB = 1_000_000
DEPTHS = (60, 2_000, 100_000)
TEXTS = (
    "", " ", "\x00", "\u202e", "\ufeff", "é" * 300, "😀" * 90, "a" * 70_000, "../../etc/passwd", "{{ 7 * 7 }}",
    "__proto__", "null", "heartbeat", "receipt", "\r\nBcc: x@example.com", "=?utf-8?q?=0D=0ABcc:x?=",
)  # fmt: skip
NUMBERS = (0, -1, 2**63, 2**64, 1e308, 1e400, -0.0, 0.1 + 0.2, 10**400)
GARBAGE = (
    b"", b"\0", b"\xff\xfe{\0", b"{", b"[]", b"null", b"NaN", b'"text"', b"\xef\xbb\xbf{}", b'{"id": "\xed\xa0\x80"}',
    b'{"id": "\\ud800"}', b'{"a": 1, "a": 2}', b"<xml/>", b"\x80\x04\x95pickle.", b"%PDF", b"\x1f\x8b\x08\x00rubbish",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A record of Kafka. `value` None: a tombstone."""

    key: bytes | None
    value: bytes | None
    time: int


@dataclass(frozen=True)
class Request:
    """Of HTTP. `path` is one of PATHS or of the callbacks."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


PATHS = ("/v1/events", "/v1/cloudevents", "/v1/batch", "/v1/track", "/v1/identify")


RECORDS = ("tombstone", "garbage", "deep", "event", "large", "message")
KINDS = (*RECORDS, "long_type", "half_sent", "device", "flood")


class Hostile:
    """`now`: epoch ms. `kinds`: only these; each kind of record comes with the same chance."""

    def __init__(self, seed: int, now: Callable[[], int], kinds: tuple[str, ...] = KINDS) -> None:
        self.kinds = kinds
        self._records = [kind for kind in RECORDS if kind in kinds] or ["good"]
        self._random = Random(seed)
        self._now = now
        self._count = 0
        self._user = "h1"

    # ------------------------------------------------------------------------------------------------------ records
    def record(self) -> Sent:
        """For `events.*`, `receipts`, `deliveries.*`, `decisions` and `dead-letters` alike."""
        time = self._random.choice([self._now(), self._now(), self._now() // 1000, 0, self._now() - 400 * 86_400_000])
        value = self.value()
        if self._random.random() < 0.7:  # of the user of whom it speaks: whatever has another key may be passed over
            return Sent(self._user.encode(), value, time)
        key = self._random.choice([b"u1", b"", None, b"k" * 70_000, b"\xff\xfe", b"h"])
        return Sent(key, value, time)

    def value(self) -> bytes | None:
        match self._random.choice(self._records):
            case "tombstone":
                return None
            case "garbage":
                return self._random.choice(GARBAGE)
            case "deep":
                return self.deep()
            case "large":
                return _encoded(self.large())
            case "message":
                return _encoded(self.message())
            case "event":
                return _encoded(self.event())
        return _encoded(self.good("h1"))

    def deep(self) -> bytes:
        depth = self._random.choice(DEPTHS)
        inner = b"[" * depth + b"]" * depth if self._random.random() < 0.5 else b'{"a":' * depth + b"1" + b"}" * depth
        return inner if self._random.random() < 0.5 else b'{"id":"d","type":"signup","props":{"x":' + inner + b"}}"

    def event(self) -> dict[str, Any]:
        """A good one with one or two fields gone wrong."""
        document = self.good(f"h{self._random.randrange(50)}")
        for name in self._random.sample(list(document), self._random.randrange(1, 3)):
            document[name] = self.anything()
            if self._random.random() < 0.1:
                del document[name]
        return document

    def large(self) -> dict[str, Any]:
        """Each is taken; what is made of it must not be too large: values used twice, long ids in one match."""
        size = self._random.choice([300_000, 600_000, 900_000])
        document = self.good(f"h{self._random.randrange(5)}")
        place = self._random.choice(["order_id", "order_id", "id", "type", "user_id", "source"])
        char = self._random.choice("xé")
        text = char * (size // len(char.encode()))
        document["type"] = "order_created"  # whose values a rule uses twice, and whose ids another one gathers
        if place == "order_id":
            document["props"]["order_id"] = text
        else:
            document[place] = text
        return document

    def message(self) -> dict[str, Any]:
        """A delivery, a receipt or a decision, more or less."""
        record = {
            "activity": "welcome", "version": "0", "variant": None, "template": "unpaid", "user_id": "h1",
            "at": self._now(), "outcome": "send", "reason": None, "channel": "sms", "occurrence": "00",
            "steps": {}, "data": {},
            "address": "+8613800000000", "status": "delivered", "attempt": 1, "props": {}, "key": "k",
            "type": "receipt",
        }  # fmt: skip
        for name in self._random.sample(list(record), self._random.randrange(1, 5)):
            record[name] = self.anything()
        return record

    def good(self, user: str) -> dict[str, Any]:
        self._count += 1
        self._user = user
        props = {"order_id": f"o{self._count}"}
        kind = self._random.choice(["signup", "order_created"])
        return {
            "id": f"{user}-{self._count}", "type": kind, "user_id": user, "time": self._now(), "source": "shop",
            "props": props,
        }  # fmt: skip

    def anything(self) -> Any:
        choices: list[Any] = [None, True, [], {}, [[]], {"": {"": ""}}, self._now() // 1000, self._now() * 1000]
        return self._random.choice([*choices, *TEXTS, *NUMBERS, ["x"] * 1_000, {str(n): n for n in range(1_000)}])

    # ----------------------------------------------------------------------------------------------------- requests
    def request(self, paths: tuple[str, ...] = PATHS) -> Request:
        body = self.value() or b""
        if self._random.random() < 0.3:
            body = b"[" + b",".join([body, _encoded(self.event())] * 3) + b"]"
        headers = {
            "content-type": self._random.choice(["application/json", "text/plain", "", "application/cloudevents+json"])
        }
        match self._random.randrange(6):
            case 0:
                body, headers["content-encoding"] = (
                    gzip.compress(body, 1, mtime=0) + gzip.compress(b"[]", mtime=0),
                    "gzip",
                )
            case 1:
                body, headers["content-encoding"] = bomb(), "gzip"
            case 2:
                headers["content-encoding"] = self._random.choice(["gzip", "br", "gzip, gzip", "x"])
        return Request(self._random.choice(paths), body, headers)

    def form(self) -> bytes:
        """For callbacks: what providers send, more or less."""
        words = ["MessageSid", "MessageStatus", "ErrorCode", "key", "status", "time", "send_status"]
        fields = [f"{self._random.choice(words)}={self._random.choice(TEXTS)}" for _ in range(5)]
        number = self._random.choice(["9" * 5_000, "1e400", "-1", "١٢٣", "0x10"])
        return self._random.choice([self.value() or b"", "&".join([*fields, f"time={number}"]).encode()])


@cache
def bomb() -> bytes:
    """60 MB of nothing, in 60 kB."""
    return gzip.compress(b"[" + b" " * 60 * MB + b"]", mtime=0)


def _encoded(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except ValueError:  # an integer of too many digits for Python, not for JSON
        return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")
