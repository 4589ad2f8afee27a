"""Settings of librdkafka's clients, for what reads as a member of a group or writes what must not be lost."""

from __future__ import annotations

import logging
from typing import Any

from confluent_kafka import KafkaError

from kairos.adapters.kafka.client import client_options
from kairos.adapters.settings.kafka import KafkaAddress

SESSION_MS = 10_000
"""After this a member of a group that is gone has lost its partitions to the others."""
COMMIT_MS = 500
QUEUE_RECORDS = 100_000
QUEUE_KILOBYTES = 65_536
_MAX_BYTES = 1_048_588
"""What a broker takes by default: an envelope's megabyte with its key and frame."""
NEVER_TAKEN = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
)
"""Of a record that Kafka refuses, whenever it is sent."""

_NAMES = {
    "bootstrap_servers": "bootstrap.servers",
    "security_protocol": "security.protocol",
    "sasl_mechanism": "sasl.mechanism",
    "sasl_plain_username": "sasl.username",
    "sasl_plain_password": "sasl.password",
    "ssl_cafile": "ssl.ca.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
}


def group_options(kafka: KafkaAddress, group: str, start: str, memory_kilobytes: int) -> dict[str, Any]:
    """A member of `group`: offsets that were stored are committed twice a second, and when partitions change hands.

    `start`: earliest or latest, for partitions of which the group has committed nothing. Raises SettingsError.
    """
    return {
        **_connection(kafka, group),
        "group.id": group,
        "auto.offset.reset": start,
        "enable.auto.commit": True,
        "enable.auto.offset.store": False,
        "auto.commit.interval.ms": COMMIT_MS,
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": SESSION_MS // 4,
        "queued.max.messages.kbytes": memory_kilobytes,
        "topic.metadata.refresh.interval.ms": 5_000,
    }


def producer_options(kafka: KafkaAddress, client: str, patience_ms: int) -> dict[str, Any]:
    """Idempotent, acknowledged by all replicas. What is not acknowledged after `patience_ms` may be in Kafka or not.

    Raises SettingsError.
    """
    return {
        **_connection(kafka, client),
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",  # as every other client places a key
        "linger.ms": 5,
        "delivery.timeout.ms": patience_ms,
        "message.max.bytes": _MAX_BYTES,
        "queue.buffering.max.messages": QUEUE_RECORDS,
        "queue.buffering.max.kbytes": QUEUE_KILOBYTES,
        "topic.metadata.refresh.fast.interval.ms": 100,
        "topic.metadata.propagation.max.ms": 5_000,
    }


def _connection(kafka: KafkaAddress, client: str) -> dict[str, Any]:
    """`client_options` in librdkafka's names."""
    given = client_options(kafka)
    checked = given.pop("ssl_check_hostname", True)
    return {
        **{_NAMES[name]: value for name, value in given.items()},
        **({} if checked else {"ssl.endpoint.identification.algorithm": "none"}),
        "client.id": client,
        "reconnect.backoff.max.ms": 1_000,
        "logger": logging.getLogger("librdkafka"),  # else it writes to standard error by itself
    }
