"""`kairos bridge kafka` over a real Kafka: foreign records, offsets, a source that is switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema, Source
from tests.access.bridge_process import BridgePlace, BridgeProcess
from tests.access.gateway.gateway_process import eventually, now, unique

pytestmark = pytest.mark.stack

VIEW = {"view": EventSchema({"page": "string"}, ("page",))}
MAPPING = {"type": "what", "user_id": "who.0", "props": "more"}


class World:
    def __init__(self, folder: Path, stack: Stack) -> None:
        self.place = BridgePlace(folder, stack)
        self.topic, self.source = unique("foreign"), unique("web")
        create_topics(stack.settings.kafka, [self.topic], 2)
        self._producer = KafkaProducer(bootstrap_servers=stack.settings.kafka)
        self.define(MAPPING)

    def define(self, mapping: dict[str, str], enabled: bool = True) -> None:
        self.place.put(Source(self.source, VIEW, enabled, mapping=mapping))

    def send(self, value: bytes | None, partition: int = 0, time: int | None = None) -> str:
        """The record's place, as an id."""
        sent = self._producer.send(self.topic, value, b"k", partition=partition, timestamp_ms=time or now()).get(10)
        return f"{self.topic}-{sent.partition}-{sent.offset}"

    def view(self, user: str, **fields: Any) -> bytes:
        return json.dumps({"what": "view", "who": [user], "more": {"page": "p"}, **fields}).encode()

    def ids(self) -> list[str]:
        return sorted(event["id"] for event in self.place.events(self.source))

    def bridge(self) -> Any:
        return self.place.bridge("kafka", "--topic", self.topic, "--source", self.source)


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("bridge"), stack)
    yield world
    world._producer.close()


@pytest.fixture(scope="module")
def bridge(world: World) -> Iterator[BridgeProcess]:
    with world.bridge() as process:
        process.says("is carried")
        yield process


def test_a_record_becomes_an_event_under_its_place(world: World, bridge: BridgeProcess) -> None:
    at = now() - 60_000
    sent = world.send(world.view("ann"), 1, at)
    own = world.view("bob", id="own", time="2026-03-01T12:00:00Z")
    world.send(own)
    eventually(lambda: world.ids() == sorted([sent, "own"]))
    found = {event["user_id"]: event for event in world.place.events(world.source)}
    assert (found["ann"]["id"], found["ann"]["ts"], found["ann"]["props"]) == (sent, at, {"page": "p"})
    assert (found["bob"]["id"], found["bob"]["key"], found["bob"]["ts"]) == ("own", "bob", 1_772_366_400_000)


def test_what_is_no_event_is_a_dead_letter(world: World, bridge: BridgeProcess) -> None:
    ids = [world.send(value) for value in (None, b"rubbish", world.view("ann", more={"page": 5}))]
    letters = eventually(lambda: len(found := world.place.letters(world.source)) == 3 and found)
    assert sorted(letter["reason"] for letter in letters) == ["no_value", "not_json", "wrong_type"]
    assert {letter["origin"] for letter in letters} == {f"kafka:{world.topic}/{world.source}"}
    assert {letter["fields"]["id"] for letter in letters if "fields" in letter} == {*ids[1:]}
    tombstone = next(letter for letter in letters if letter["reason"] == "no_value")
    assert "only its sender" in world.place.replay(tombstone["place"]).stderr


def test_while_the_source_is_off_the_topic_is_left_alone(world: World, bridge: BridgeProcess) -> None:
    world.define(MAPPING, enabled=False)
    bridge.says("is switched off; it waits")
    before = world.ids()
    sent = [world.send(world.view("ann"), n % 2) for n in range(4)]
    world.define({**MAPPING, "user_id": "whom"})

    def refused() -> list[str]:
        letters = world.place.letters(world.source)
        return [letter["place"] for letter in letters if letter.get("fields", {}).get("id") in sent]

    places = eventually(lambda: len(found := refused()) == len(sent) and found)
    assert world.ids() == before
    world.define(MAPPING)
    again = world.place.replay(*places)
    assert again.exit_code == 0, again.stderr
    assert world.ids() == sorted([*before, *sent])


def test_one_that_was_stopped_goes_on_where_it_was(world: World, bridge: BridgeProcess) -> None:
    before = world.ids()
    assert bridge.stop() == 0
    assert "Traceback" not in bridge.said()
    sent = world.send(world.view("ann"))
    with world.bridge() as another:
        eventually(lambda: world.ids() == sorted([*before, sent]))
        world.send(world.view("ann"))
        eventually(lambda: len(world.ids()) == len(before) + 2)
        assert another.stop() == 0


def test_a_topic_that_is_not_there_yet_is_waited_for(world: World, stack: Stack) -> None:
    topic = unique("later")
    with world.place.bridge("kafka", "--topic", topic, "--source", world.source) as bridge:
        bridge.says(f"there is no topic '{topic}'")
        create_topics(stack.settings.kafka, [topic], 1)
        before = len(world.ids())
        producer = KafkaProducer(bootstrap_servers=stack.settings.kafka)
        producer.send(topic, value=world.view("ann")).get(10)
        producer.close()
        eventually(lambda: len(world.ids()) == before + 1)
