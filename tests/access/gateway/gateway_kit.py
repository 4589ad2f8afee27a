"""A gateway without servers: Kafka and Redis in memory, a clock that is set by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

from kairos.adapters.kafka.producer import NotTakenError, Record, Refused
from kairos.adapters.metrics.declared import ACCESS, GATEWAY
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.sources.port import Access, Entry, Snapshot, key_hash
from kairos.adapters.sources.seen import MemorySeen
from kairos.apps.gateway.body import rooms
from kairos.apps.gateway.server import Gateway
from kairos.apps.gateway.taking import Parts
from kairos.engine.rule.model import EventSchema, Source
from kairos.usecases.intake.intake import Intake
from kairos.usecases.intake.registry import Registry
from kairos.usecases.intake.shedding import Shedding
from kairos.usecases.intake.turns import Turns
from tests.access.memory_identity import MemoryIdentity

NOW = 1_763_778_000_000
ORDER = {"order_created": EventSchema({"order_id": "string"}, ("order_id",)), "view": EventSchema({})}
SHOP = Entry(Source("shop", ORDER), Access((key_hash("shop-key"),)))
APP = Entry(Source("app", ORDER, identity={"device_id": "redis", "phone": "redis"}), Access((key_hash("app-key"),)))
LINES = "application/x-ndjson"


class MemoryProducer:
    """`away`: nothing is taken. `most`: bytes that it ever takes of a value. `takes`: what happens meanwhile."""

    def __init__(self) -> None:
        self.away = False
        self.most = 1_000_000
        self.takes: Callable[[], None] = lambda: None
        self.records: list[Record] = []
        self.sizes: list[int] = []

    async def publish(self, records: Sequence[Record]) -> Refused:
        await self.check()
        self.takes()
        self.sizes.append(sum(len(record.value) for record in records))
        self.records += (record for record in records if len(record.value) <= self.most)
        return {n: "too large" for n, record in enumerate(records) if len(record.value) > self.most}

    async def check(self) -> None:
        if self.away:
            raise NotTakenError("Kafka has not taken it: it is away")

    def events(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.records if record.topic == topic]

    @property
    def letters(self) -> list[dict[str, Any]]:
        return self.events("dead-letters")


class StaticStore:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = list(entries)
        self.problems: tuple[str, ...] = ()

    def read(self) -> Snapshot:
        return Snapshot({entry.source.name: entry for entry in self.entries}, self.problems)


class Kit:
    def __init__(self, *entries: Entry, max_body: int = 4_000_000, memory: int = 64_000_000) -> None:
        self.now = NOW
        self.producer = MemoryProducer()
        self.identity = MemoryIdentity()
        self.store = StaticStore(entries or (SHOP, APP))
        self.metrics = Metrics([*ACCESS, *GATEWAY])
        self.room, self.keyless = rooms(memory, max_body)
        self.topics: list[str] = []
        self.registry = Registry(self.store, self.topics.extend, lambda: self.now)
        self.intake = Intake(self.producer, self.identity, self.metrics, lambda: self.now)
        seen = MemorySeen(lambda: self.now)
        self.parts = Parts(
            self.registry, self.intake, self.producer, seen, self.metrics, self.room, self.keyless,
            lambda: self.now, lambda: self.now, max_body, Shedding(250, NOW), Turns(250, lambda: self.now),
        )  # fmt: skip
        self.serve()

    def serve(self) -> None:
        """With the parts as they are now."""
        self.app = Gateway(self.parts).app()

    def slow(self, ms: int) -> None:
        """From now on Kafka takes so long for whatever it takes."""

        def passes() -> None:
            self.now += ms

        self.producer.takes = passes

    def run(self, scene: Callable[[Kit, httpx.AsyncClient], Awaitable[None]]) -> None:
        async def play() -> None:
            await self.registry.refresh()
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                await scene(self, client)

        asyncio.run(play())

    def post(
        self, content: Any, path: str = "/v1/events", key: str | None = "shop-key", headers: Mapping[str, str] = {}
    ) -> httpx.Response:
        """One request. `content`: bytes, or what JSON is made of."""
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        known = {"authorization": f"Bearer {key}"} if key else {}
        answers: list[httpx.Response] = []

        async def scene(_: Kit, client: httpx.AsyncClient) -> None:
            answers.append(await client.post(path, content=sent, headers={**known, **headers}))

        self.run(scene)
        return answers[0]


def event(**fields: Any) -> dict[str, Any]:
    good = {"id": "e1", "type": "order_created", "user_id": "u1", "time": NOW, "props": {"order_id": "o1"}}
    return {key: value for key, value in {**good, **fields}.items() if value is not ...}


def anonymous(id_: str, **fields: Any) -> dict[str, Any]:
    return event(id=id_, user_id=..., type="view", props={"device_id": "d1"}, **fields)


def identify(user: str = "u1", device: str = "d1") -> dict[str, Any]:
    return event(id=f"i-{user}", type="identify", user_id=user, props={"device_id": device})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
