"""Dead letters where they lie, in Kafka or in the folder of a run: each with its place, and what can be read of it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from kairos.adapters.decoding import UnreadableError, decoder
from kairos.adapters.files.run_folder import lines_of
from kairos.adapters.kafka.topics import KafkaUnreachableError
from kairos.engine.dead_letter import DeadLetter
from kairos.engine.effect import Delivery
from kairos.engine.topics import DEAD_LETTERS, channel_of_letters, holds_letters

MALFORMED = "malformed"
"""Why a record is a dead letter that is neither a delivery nor a recall of its channel."""
BROKEN = "broken"
"""Why a record is a dead letter that our own code failed on; the ledger's row, if there is one, stays as it was."""
PATIENCE_SECONDS = 30.0

_letter, _delivery, _note = decoder(DeadLetter), decoder(Delivery), decoder(dict[str, Any])


class Found(msgspec.Struct, frozen=True):
    """`place`: "topic/partition@offset" or "file:line", by which people name it. `channel`: of a delivery's letter,
    null for an event's. `note`: the original as JSON, as far as it is an object."""

    place: str
    channel: str | None
    letter: DeadLetter
    note: Mapping[str, Any]

    @property
    def user(self) -> str | None:
        user = self.note.get("user_id", self.letter.key)
        return user if isinstance(user, str) else None

    @property
    def activity(self) -> str | None:
        activity = self.note.get("activity")
        return activity if isinstance(activity, str) else None


class NotReplayableError(Exception):
    """Why this letter cannot be sent again."""


def original(letter: DeadLetter) -> bytes:
    """The record's value as it was. Raises NotReplayableError."""
    if letter.truncated:
        raise NotReplayableError(f"only a part of its {letter.size:,} bytes was kept")
    try:
        return base64.b64decode(letter.value) if letter.encoding == "base64" else letter.value.encode()
    except ValueError:
        raise NotReplayableError("what was kept of it is no base64") from None


def topic_of(letter: DeadLetter) -> str:
    """Where the record came from. Raises NotReplayableError."""
    topic, found, place = letter.origin.rpartition("/")
    if not found or not re.fullmatch(r"\d+@\d+", place):
        raise NotReplayableError(f"it came from '{letter.origin}', which is no topic")
    return topic


def delivery_of(letter: DeadLetter) -> Delivery:
    """Raises NotReplayableError."""
    try:
        return _delivery(original(letter))
    except UnreadableError as error:
        raise NotReplayableError(f"it holds no delivery: {error}") from None


def found_in(place: str, topic: str, value: bytes) -> Found | None:
    """`topic` without prefix; None where the record is no dead letter."""
    try:
        letter = _letter(value)
    except UnreadableError:
        return None
    try:
        note = _note(original(letter))
    except (UnreadableError, NotReplayableError):
        note = {}
    return Found(place, channel_of_letters(topic), letter, note)


def of_folder(folder: Path) -> Iterator[Found]:
    """Of a run on files. Raises OSError."""
    parts = [
        (path, path.name.removeprefix("topic=")) for path in sorted((folder / "parts").glob(f"topic={DEAD_LETTERS}*"))
    ]
    files = [(path, path.name.removesuffix(".jsonl")) for path in sorted(folder.glob(f"{DEAD_LETTERS}*.jsonl"))]
    for path, topic in [*parts, *files]:
        for file, number, line in lines_of(path):
            if (found := found_in(f"{file}:{number}", topic, line)) is not None:
                yield found


def of_kafka(options: Mapping[str, Any], prefix: str) -> Iterator[Found]:
    """All that the topics have now, oldest first in each partition. Raises KafkaUnreachableError."""
    try:
        consumer = KafkaConsumer(**options, enable_auto_commit=False, bootstrap_timeout_ms=5_000)
        try:
            ours = (topic for topic in consumer.topics() if topic.startswith(prefix))
            for topic in sorted(topic for topic in ours if holds_letters(topic.removeprefix(prefix))):
                for record in _records(consumer, topic):
                    place = f"{topic}/{record.partition}@{record.offset}"
                    found = found_in(place, topic.removeprefix(prefix), record.value or b"")
                    if found is not None:
                        yield found
        finally:
            consumer.close()
    except KafkaError as error:
        raise KafkaUnreachableError(f"{options['bootstrap_servers']} does not answer: {error}") from None


def _records(consumer: Any, topic: str) -> Iterator[Any]:
    places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    ends = consumer.end_offsets(places)
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    limit = time.monotonic() + PATIENCE_SECONDS
    while any(consumer.position(place) < ends[place] for place in places):
        found = consumer.poll(timeout_ms=500)
        if found:
            limit = time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > limit:
            raise KafkaUnreachableError(f"{topic}: nothing comes of it, although there should be more")
        for place, records in found.items():
            yield from (record for record in records if record.offset < ends[place])
