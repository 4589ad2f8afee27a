"""What Kairos' processes tell the job: the topic `events.kairos`, keyed by user, stamped with the event's time."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.posts import KafkaPosts
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.event import KAIROS, Event
from kairos.engine.schedule.due import line_of
from kairos.engine.topics import events_topic

CLIENT = "kairos-scheduler"
TOPIC = events_topic(KAIROS)
PARTITIONS = 2
"""Of the topic where the configuration has none made."""


class KafkaDue:
    """Calls block; one thread."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Kafka may be away. Raises SettingsError for options it cannot honour."""
        self._posts = KafkaPosts(kafka, "", CLIENT)

    def tell(self, events: Sequence[Event]) -> None:
        """Raises KafkaAwayError: then some may be there, and some not."""
        self._posts.write([Post(TOPIC, event.user_id, line_of(event), event.time) for event in events])

    def close(self) -> None:
        self._posts.close()


def tell_job(kafka: KafkaAddress, event: Event) -> int:
    """How many were told. Raises KafkaAwayError and KafkaUnreachableError."""
    create_topics(client_options(kafka), [TOPIC], kafka.create_topics or PARTITIONS)
    outlet = KafkaDue(kafka)
    outlet.tell([event])
    outlet.close()
    return 1
