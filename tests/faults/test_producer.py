"""What writes receipts goes on after its broker has gone in the middle of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from harness.job import eventually, now
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaPosts
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.post import Post
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]


class Writer(threading.Thread):
    def __init__(self, posts: KafkaPosts) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.written = self.refused = 0
        self._posts = posts
        self.start()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._posts.write([Post("receipts", f"u{number}", b"{}", now()) for number in range(5)])
                self.written += 1
            except KafkaAwayError:
                self.refused += 1


def test_a_broker_that_restarts_under_a_writer(own_stack: Callable[..., Stack]) -> None:
    stack = own_stack("kafka")
    create_topics(stack.settings.kafka, ["receipts"], 2)
    posts = KafkaPosts(KafkaAddress(stack.settings.kafka), "", "test")
    writer = Writer(posts)
    try:
        eventually(lambda: writer.written, lambda count: count > 20)
        stack.down(["kafka"])
        stack.up(["kafka"])
        before = writer.written
        eventually(lambda: writer.written, lambda count: count > before + 20)
    finally:
        writer.stop.set()
        writer.join()
        posts.close()
