"""What a message is read as, the bridges' configuration, and dead letters that are read again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiormq.abc import DeliveredMessage
from pamqp import commands
from pamqp.commands import Basic
from pamqp.header import ContentHeader
from yarl import URL

from kairos.adapters.output.dead_letters import Found, NotReplayableError
from kairos.adapters.settings.bridge import Conf, load
from kairos.adapters.settings.file import SettingsError
from kairos.apps.bridges.kafka import EMPTY
from kairos.apps.bridges.kafka import item_of as item_of_record
from kairos.apps.bridges.rabbitmq import item_of, place_of
from kairos.engine.dead_letter import DeadLetter
from kairos.engine.rule.model import EventSchema, Source
from kairos.engine.source.normalise import Draft, Normaliser, Refusal
from kairos.usecases.intake.again import item_of as item_again
from kairos.usecases.intake.again import source_of
from kairos.usecases.intake.batch import Item
from tests.access.gateway.gateway_kit import NOW, Kit

EVENTS = {"order": EventSchema({})}
WHOLE = b'{"id":"own","type":"order","user_id":"u1","time":%d,"props":{"a":1}}' % NOW


def message(**properties: Any) -> DeliveredMessage:
    header = ContentHeader(properties=Basic.Properties(**properties))
    return DeliveredMessage(Basic.Deliver(delivery_tag=1), header, b"{}", None)  # type: ignore[arg-type]


def test_properties_of_a_message_stand_beside_its_body() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    properties = {"message_id": "m1", "message_type": "order", "timestamp": at, "user_id": "kairos"}
    assert item_of(message(**properties)) == Item(
        b"{}", beside={"id": "m1", "type": "order", "time": 1_772_323_200_000}
    )  # fmt: skip
    assert item_of(message()) == Item(b"{}", beside={})


class Record:
    def __init__(self, value: bytes | None, kind: int = 1) -> None:
        self._value, self._kind = value, kind

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 17

    def timestamp(self) -> tuple[int, int]:
        return self._kind, 5

    def value(self) -> bytes | None:
        return self._value


def test_a_record_without_id_and_time_has_those_of_its_place() -> None:
    assert item_of_record(Record(b"{}")) == Item(b"{}", beside={"id": "t-3-17", "time": 5})
    assert item_of_record(Record(b"{}", kind=0)) == Item(b"{}", beside={"id": "t-3-17"})
    assert item_of_record(Record(None)).document is EMPTY


BESIDE = {"id": "m1", "type": "order", "time": NOW - 1}


@pytest.mark.parametrize(
    ("mapping", "line", "expected"),
    [
        (None, WHOLE, ("own", "order", NOW, {"a": 1})),
        (None, b'{"user_id":"u1"}', ("m1", "order", NOW - 1, {})),
        ({"props": "*"}, b'{"user_id":"u1","x":2}', ("m1", "order", NOW - 1, {"user_id": "u1", "x": 2})),
        ({"id": "no"}, b'{"user_id":"u1","no":7}', ("7", "order", NOW - 1, {})),
    ],
)
def test_the_body_and_the_map_go_before_what_stands_beside(
    mapping: dict[str, str] | None, line: bytes, expected: tuple[Any, ...]
) -> None:
    draft = Normaliser(Source("s", EVENTS, mapping=mapping)).read(line, NOW, BESIDE)
    assert isinstance(draft, Draft)
    event = draft.event
    assert (event.id, event.type, event.time, event.props, event.user_id) == (*expected, "u1")


def test_what_the_map_names_must_be_there_all_the_same() -> None:
    found = Normaliser(Source("s", EVENTS, mapping={"id": "no"})).read(b'{"user_id":"u1"}', NOW, BESIDE)
    assert found == Refusal("bad_field", "'id' is missing: there is nothing at 'no'")


def conf(folder: Path, bridge: str) -> Conf:
    file = folder / "conf.yaml"
    file.write_text(
        f"kafka: {{bootstrap: 'ours:1', properties: {{security.protocol: SSL}}}}\nbridge: {bridge}\n"
    )  # fmt: skip
    return load(file)


def test_properties_that_cannot_be_read_end_no_connection() -> None:
    written = commands.Basic.Properties(message_type="order", timestamp=datetime.fromtimestamp(5, UTC), app_id="shop")
    frame = ContentHeader(body_size=2, properties=written).marshal()
    hostile = frame.replace((5).to_bytes(8), (2**63).to_bytes(8))
    assert hostile != frame
    found = ContentHeader()
    found.unmarshal(hostile)
    assert (found.properties.timestamp, found.body_size) == (None, 2)
    found.unmarshal(frame)
    assert (found.properties.message_type, found.properties.app_id) == ("order", "shop")


def test_the_address_of_rabbitmq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBIT", "s3cret/")
    found = conf(tmp_path, "{rabbitmq: {url: 'amqp://ann@host:5/v', password: {env: RABBIT}, prefetch: 7}}")
    url, prefetch = found.rabbitmq()
    assert (url.user, url.password, url.host, url.port, url.path) == ("ann", "s3cret/", "host", 5, "/v")
    assert (url.query["heartbeat"], prefetch) == ("10", 7)
    assert place_of(url) == "RabbitMQ at host:5/v"
    assert place_of(URL("amqps://a:b@host")) == "RabbitMQ at host:5671/"
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("bridge", "words"),
    [
        ("{}", "a section 'bridge.rabbitmq'"),
        ("{rabbitmq: {url: 'http://ann:s3cret@host'}}", "must be amqp://"),
        ("{rabbitmq: {url: 'amqp://ann:s3cret@:x'}}", "must be amqp://"),
        ("{rabbitmq: {url: 'amqp://a:s3cret@host', password: {env: NOWHERE}}}", "a password is in its 'url' and in"),
        ("{rabbitmq: {url: 'amqp://a@host', password: s3cret}}", "bridge.rabbitmq.password"),
        ("{rabbitmq: {url: 'amqp://a@host', password: {env: NOWHERE_AT_ALL}}}", "NOWHERE_AT_ALL"),
        ("{rabbitmq: {url: 'amqp://a@host', prefetch: 0}}", "prefetch must be from 1 to 65535"),
        ("{rabbit: {}}", "did you mean 'rabbitmq'"),
    ],
)
def test_what_cannot_be_used_is_said_without_its_secrets(tmp_path: Path, bridge: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")) as raised:
        conf(tmp_path, bridge).rabbitmq()
    assert "s3cret" not in str(raised.value)


def test_which_kafka_is_read(tmp_path: Path) -> None:
    secured = {"security.protocol": "SSL"}
    ours = conf(tmp_path, "{}")
    assert (ours.foreign(None).bootstrap, ours.foreign(None).properties) == ("ours:1", secured)
    assert (ours.foreign("x:2").bootstrap, ours.foreign("x:2").properties) == ("x:2", secured)
    theirs = conf(tmp_path, "{kafka: {bootstrap: 'theirs:3'}}")
    assert (theirs.foreign(None).bootstrap, theirs.foreign(None).properties) == ("theirs:3", {})
    assert theirs.foreign("x:2").bootstrap == "x:2"


def letters_of(kit: Kit) -> list[DeadLetter]:
    records = [record for record in kit.producer.records if record.topic == "dead-letters"]
    return [msgspec.json.decode(record.value, type=DeadLetter) for record in records]


def found(letter: DeadLetter, channel: str | None = None) -> Found:
    return Found("dead-letters/0@1", channel, letter, {})


def test_what_a_letter_keeps_is_what_came() -> None:
    """Through each way in: an SDK's format, the source's own, and what nobody can read."""
    kit = Kit()
    data = {"order_id": 5}
    cloud = {"specversion": "1.0", "id": "c1", "source": "/s", "type": "com.shop.order.created", "data": data}
    kit.post(cloud, headers={"content-type": "application/cloudevents+json"})
    kit.post({"event": "order_created", "userId": "u1", "properties": data}, "/v1/track")
    kit.post({"type": "order_created", "id": "e1"})
    kit.post({"specversion": "0.3"}, headers={"content-type": "application/cloudevents+json"})
    mapped, segment, own, nothing = letters_of(kit)
    assert [letter.read for letter in (mapped, segment, own, nothing)] == ["mapped", "fields", "value", "nothing"]
    again = item_again(mapped)
    assert (again.mapped, again.document["id"], again.document["props"]) == (True, "c1", {"order_id": 5})  # type: ignore[index]
    assert item_again(segment).document["type"] == "order_created"  # type: ignore[index]
    assert item_again(own).document is None
    with pytest.raises(NotReplayableError, match="only its sender"):
        item_again(nothing)


@pytest.mark.parametrize(
    ("origin", "channel", "source"),
    [
        ("gateway/shop", None, "shop"),
        ("rabbitmq:orders/eu/shop", None, "shop"),
        ("events.shop/0@17", None, None),
        ("deliveries.sms/0@17", "sms", None),
        ("somewhere", None, None),
    ],
)
def test_which_letters_are_of_a_door(origin: str, channel: str | None, source: str | None) -> None:
    letter = DeadLetter("late", "why", origin, 1, None, "{}", 2)
    assert source_of(found(letter, channel)) == source
