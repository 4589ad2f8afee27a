"""`kairos bridge rabbitmq` over real RabbitMQ and Kafka; pika publishes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from kairos.apps.bridges.feed import FeedLostError
from kairos.apps.bridges.rabbitmq import open_queue
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema, Source
from tests.access.bridge_process import BridgePlace, BridgeProcess, Queue
from tests.access.gateway.gateway_process import eventually, now, unique

pytestmark = pytest.mark.stack

ORDER = {"order_created": EventSchema({"amount": "number"}, ("amount",))}
MAPPING = {"type": "kind", "user_id": "buyer.id", "time": "at", "props": "detail"}


class World:
    def __init__(self, folder: Path, stack: Stack) -> None:
        self.place = BridgePlace(folder, stack)
        self.queue = Queue(stack.settings.rabbitmq_url)
        self.source = unique("shop")
        self.define(MAPPING)

    def define(self, mapping: dict[str, str], enabled: bool = True) -> None:
        self.place.put(Source(self.source, ORDER, enabled, mapping=mapping))

    def publish(self, *ids: str, **changes: Any) -> None:
        body = {"kind": "order_created", "buyer": {"id": 17}, "at": now(), "detail": {"amount": 5}, **changes}
        self.queue.publish((json.dumps(body).encode(), {"message_id": id_}) for id_ in ids)

    def ids(self) -> list[str]:
        return [event["id"] for event in self.place.events(self.source)]

    def has(self, *ids: str) -> None:
        eventually(lambda: sorted(self.ids()) == sorted(ids))


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("bridge"), stack)


@pytest.fixture(scope="module")
def bridge(world: World) -> Iterator[BridgeProcess]:
    with world.place.bridge("rabbitmq", "--queue", world.queue.name, "--source", world.source) as process:
        process.says("is carried")
        yield process


def test_a_message_becomes_an_event_under_its_message_id(world: World, bridge: BridgeProcess) -> None:
    world.publish("m1")
    world.has("m1")
    (event,) = world.place.events(world.source)
    assert (event["type"], event["user_id"], event["props"]) == ("order_created", "17", {"amount": 5})
    assert (event["key"], event["ts"]) == ("17", event["time"])


def test_what_the_body_lacks_comes_from_the_properties(world: World, bridge: BridgeProcess) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    world.define({"user_id": "u"})
    body = json.dumps({"u": "ann", "props": {"amount": 1}}).encode()
    properties = {"message_id": "m2", "type": "order_created", "timestamp": int(at.timestamp())}

    def arrived() -> bool:  # until the new mapping holds, it is refused
        world.queue.publish([(body, properties)])
        return "m2" in world.ids()

    eventually(arrived)
    event = next(event for event in world.place.events(world.source) if event["id"] == "m2")
    assert (event["user_id"], event["ts"]) == ("ann", int(at.timestamp() * 1000))


def test_poison_is_a_dead_letter_and_goes_from_the_queue(world: World, bridge: BridgeProcess) -> None:
    bodies = (b"\xff\x00", b"[1]", b'{"u":"ann"}', b"x" * 1_000_001)
    world.queue.publish((body, {}) for body in bodies)
    sizes = {len(body) for body in bodies}

    def poison() -> list[dict[str, Any]]:
        return [letter for letter in world.place.letters(world.source) if letter["size"] in sizes]

    letters = eventually(lambda: len(found := poison()) == len(bodies) and found)
    reasons = {letter["size"]: letter["reason"] for letter in letters}
    assert reasons == {2: "not_json", 3: "not_json", 11: "bad_field", 1_000_001: "too_large"}
    assert {letter["origin"] for letter in letters} == {f"rabbitmq:{world.queue.name}/{world.source}"}
    assert [len(letter["value"]) for letter in letters if letter.get("truncated")] == [100_000]
    world.place.put(Source(world.source, ORDER, enabled=False, mapping=MAPPING))
    eventually(lambda: world.queue.consumers() == 0)
    assert world.queue.ready() == 0


def test_what_comes_while_the_source_is_off_stays_until_it_is_on(world: World, bridge: BridgeProcess) -> None:
    world.define(MAPPING, enabled=False)
    eventually(lambda: world.queue.consumers() == 0)
    eventually(lambda: "is switched off; it waits" in bridge.said())
    before = world.ids()
    world.publish("m3", "m4")
    eventually(lambda: world.queue.ready() == 2)
    world.place.store.set(world.source, {"enabled": True}, "on", "tests")
    world.has(*before, "m3", "m4")


def test_after_a_broken_mapping_is_mended_its_letters_are_sent_again(world: World, bridge: BridgeProcess) -> None:
    world.define({**MAPPING, "user_id": "customer"}, enabled=False)
    eventually(lambda: world.queue.consumers() == 0)
    before = world.ids()
    world.publish("m5")
    world.place.store.set(world.source, {"enabled": True}, "on", "tests")

    def broken() -> list[dict[str, Any]]:
        return [letter for letter in world.place.letters(world.source) if letter.get("fields") == {"id": "m5"}]

    (letter,) = eventually(broken)
    assert letter["reason"] == "bad_field"
    assert world.ids() == before
    refused = world.place.replay(letter["place"])
    assert (refused.exit_code, "refused once more" in refused.stderr) == (1, True)
    assert len(broken()) == 1
    world.define(MAPPING, enabled=False)
    assert "is switched off" in world.place.replay(letter["place"]).stderr
    world.define(MAPPING)
    again = world.place.replay(letter["place"])
    assert again.exit_code == 0, again.stderr
    world.has(*before, "m5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.with_password("hunter2"), "ACCESS_REFUSED"),
        (lambda url: url.with_password("hunter2").with_port(1), "Connect call failed"),
        (lambda url: url.with_path("/nowhere"), "the virtual host is not there"),
    ],
)
def test_what_keeps_it_out_is_said_without_the_password(stack: Stack, change: Callable[[URL], URL], words: str) -> None:
    url = change(URL(stack.settings.rabbitmq_url))
    with pytest.raises(FeedLostError, match=words) as raised:
        asyncio.run(open_queue(url, "orders", 1))
    assert f"RabbitMQ at {url.host}:{url.port}" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_queue_that_is_not_there_yet_is_waited_for(world: World, stack: Stack) -> None:
    source = unique("late")
    world.place.put(Source(source, ORDER, mapping=MAPPING))
    queue = Queue.__new__(Queue)
    queue._url, queue.name = stack.settings.rabbitmq_url, unique("later")
    with world.place.bridge("rabbitmq", "--queue", queue.name, "--source", source) as bridge:
        bridge.says(f"there is no queue '{queue.name}'")
        with queue._channel() as channel:
            channel.queue_declare(queue.name)
        bridge.says("is carried")
        with queue._channel() as channel:
            channel.queue_delete(queue.name)
        bridge.says("the queue was deleted")
        assert bridge.stop() == 0
        assert "Traceback" not in bridge.said()
