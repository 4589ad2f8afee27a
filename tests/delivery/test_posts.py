"""Receipts on their way into Kafka, where there is none."""

from __future__ import annotations

import pytest

from kairos.adapters.kafka import librdkafka
from kairos.adapters.kafka import posts as kafka_posts
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaPosts
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress


def test_more_than_the_queue_holds_is_refused_like_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(librdkafka, "QUEUE_RECORDS", 2)
    monkeypatch.setattr(kafka_posts, "PATIENCE_MS", 300)
    posts = KafkaPosts(KafkaAddress("127.0.0.1:1"), "", "test")
    with pytest.raises(KafkaAwayError, match="takes no records"):
        posts.write([Post("receipts", f"u{number}", b"{}", 1) for number in range(5)])
