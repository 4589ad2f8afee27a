"""What Kafka is told of a new snapshot: a record in topic `crowds`, and the events of who has entered and left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from kairos.adapters.crowds.port import Live
from kairos.adapters.crowds.redis import batches
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.posts import KafkaPosts
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.event import MAX_ID
from kairos.engine.topics import CROWDS, events_topic

SOURCE = "kairos"
_encode = msgspec.json.Encoder().encode


class KafkaTold:
    """Raises KafkaAwayError, and KafkaRefusedError."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Makes the topics where they are missing. Raises SettingsError and KafkaUnreachableError."""
        self._prefix = kafka.prefix
        if kafka.create_topics:
            topics = [kafka.prefix + CROWDS, events_topic(SOURCE)]
            create_topics(client_options(kafka), topics, kafka.create_topics)
        self._posts = KafkaPosts(kafka, "", "kairos-crowds")  # topics of events have no prefix

    def flipped(self, crowd: str, live: Live, size: int) -> None:
        said = {"crowd": crowd, "n": live.n, "as_of": live.as_of, "at": live.at, "size": size}
        self._posts.write([Post(self._prefix + CROWDS, crowd, _encode(said), live.at)])

    def changed(self, crowd: str, live: Live, entered: Iterable[str], left: Iterable[str]) -> None:
        for type_, users in (("crowd.left", left), ("crowd.entered", entered)):
            for batch in batches(_events(type_, crowd, live, users)):
                self._posts.write(batch)


def _events(type_: str, crowd: str, live: Live, users: Iterable[str]) -> Iterator[Post]:
    for user in users:
        event = {
            "id": event_id(crowd, live.n, user),
            "type": type_,
            "user_id": user,
            "time": live.at,
            "source": SOURCE,
            "props": {"crowd": crowd, "snapshot": live.n},
        }
        yield Post(events_topic(SOURCE), user, _encode(event), live.at)


def event_id(crowd: str, n: int, user: str) -> str:
    """The same however often it is told; of a user id that leaves no room in it a hash stands."""
    whole = f"crowd/{crowd}/{n}/{user}"
    if len(whole.encode()) <= MAX_ID:
        return whole
    return f"crowd/{crowd}/{n}/{hashlib.blake2b(user.encode(), digest_size=16).hexdigest()}"
