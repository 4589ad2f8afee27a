"""Is Kafka there, and does it have the topics that the job writes to?"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from kairos.errors import KairosError

TIMEOUT_SECONDS = 5.0


class KafkaUnreachableError(KairosError):
    """Nobody answers at any of the addresses, or what answers is no Kafka."""


def check_kafka(bootstrap: str) -> None:
    """One of the servers must take a connection. Raises KafkaUnreachableError."""
    trouble = []
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdigit():
            raise KafkaUnreachableError(f"'{server}' is not an address; expected host:port")
        try:
            socket.create_connection((host, int(port)), TIMEOUT_SECONDS).close()
        except OSError as error:
            trouble.append(f"{server}: {error.strerror or error}")
        else:
            return
    raise KafkaUnreachableError(f"no Kafka broker answers ({'; '.join(trouble)})")


def create_topics(kafka: str | Mapping[str, Any], topics: Iterable[str], partitions: int) -> list[str]:
    """Creates those that are missing, with the broker's replication; returns their names.

    `kafka`: the bootstrap servers, or arguments of kafka-python's clients. Raises KafkaUnreachableError.
    """
    limit = int(TIMEOUT_SECONDS * 1000)
    options = {"bootstrap_servers": kafka} if isinstance(kafka, str) else dict(kafka)
    bootstrap = options["bootstrap_servers"]
    try:
        admin = KafkaAdminClient(**options, bootstrap_timeout_ms=limit, request_timeout_ms=limit)
    except KafkaError as error:
        raise KafkaUnreachableError(f"{bootstrap} does not answer as Kafka does: {error}") from None
    try:
        missing = sorted(set(topics) - set(admin.list_topics()))
        if missing:
            admin.create_topics(
                [NewTopic(topic, num_partitions=partitions, replication_factor=-1) for topic in missing]
            )
    except TopicAlreadyExistsError:
        pass  # somebody else was faster
    except KafkaError as error:
        raise KafkaUnreachableError(f"{bootstrap}: the topics cannot be created: {error}") from None
    finally:
        admin.close()
    return missing
