"""Records that are large, many, or nothing at all: a running job is neither ended nor stalled by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import LiveJob, event, eventually, now
from harness.rules import watch, write_rules
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

TWICE = """
    activity: twice
    state: live
    trigger: {event: login}
    send: [{channel: sms, template: unpaid}, {channel: webhook, template: unpaid, after: 1h}]
    data: {order_id: '"o1"', text: text, again: text}
"""
PAIRED = """
    activity: paired
    state: live
    trigger: {pattern: [{event: order_created, as: order}, {event: order_paid}], within: 7d}
    data: {text: order.text}
"""
COUNTED = """
    activity: counted
    state: live
    trigger: {count: swipe, times: 3, within: 1h}
"""
REMINDED = """
    activity: reminded
    state: live
    trigger: {pattern: [{event: cart, as: cart}, {absent: checkout}], within: 10m}
"""


@pytest.fixture
def own(own_stack: Callable[..., Stack]) -> Stack:
    return own_stack("kafka", "heartbeat")


@pytest.fixture
def job(own: Stack, tmp_path: Path) -> Iterator[LiveJob]:
    rules = write_rules(
        tmp_path / "rules", viewed=watch("viewed", "view"), twice=TWICE, paired=PAIRED, counted=COUNTED,
        reminded=REMINDED,
    )  # fmt: skip
    job = LiveJob(tmp_path / "job", own.settings.kafka, rules)
    job.start().until_running()
    yield job
    job.close()


def test_it_goes_on_whatever_the_size(job: LiveJob) -> None:
    no_values(job)
    long_texts(job)
    one_user_without_end(job)
    uploaded_together(job)
    job.send(event("last", "view", now()))
    job.until_decided("last")
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)


def letters(job: LiveJob, reason: str, at_least: int) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        return [letter for letter in job.dead_letters() if letter["reason"] == reason]

    return eventually(found, lambda those: len(those) >= at_least)


def no_values(job: LiveJob) -> None:
    """A tombstone, twice; and values that nobody can read, with a key and without."""
    moment = now()
    for _ in range(2):
        job.topics.send_raw(job.events, "u1", None, moment)
    deep = b"[" * 400_000 + b"]" * 400_000
    for key, value in (("u1", deep), (None, deep), (None, b"\xff\xfe"), (None, b'{"user_id": 5}'), ("u1", b"")):
        job.topics.send_raw(job.events, key, value, moment)
    job.send(event("beside", "view", moment))
    job.until_decided("beside")
    assert len(letters(job, "no_value", 2)) == 2
    assert (
        Counter(letter["size"] for letter in eventually(job.dead_letters, lambda those: len(those) >= 7))[800_000] == 2
    )


def long_texts(job: LiveJob) -> None:
    """A message that would be too large has failed, and its decision is cut; ids that are too long are no events."""
    moment = now()
    job.send(event("long", "login", moment, text="x" * 600_000))
    (record,) = job.until_decided("long")
    assert (record["outcome"], record["cut"]) == ("send", True)
    (letter,) = letters(job, "too_large", 1)
    assert (letter["key"], letter["truncated"]) == ("long", True)
    receipts = eventually(lambda: job.topics.read(f"{job.name}.receipts"), bool)
    assert [(r["user_id"], r["props"]["status"]) for r in receipts] == [("long", "failed")]
    for number in range(3):
        job.send(event("ids", "swipe", moment + number) | {"id": f"{number}" + "i" * 400_000})
    assert len(letters(job, "bad_field", 3)) >= 3


def one_user_without_end(job: LiveJob) -> None:
    """330 orders of nearly a megabyte: the oldest are given up, and the others are waited for."""
    first = now() - 400_000
    for number in range(330):
        one = event("hot", "order_created", first + number * 1_000, text="x" * 900_000)
        job.topics.send_raw(job.events, "hot", msgspec.json.encode(one), one["time"])
        if number % 20 == 0:
            job.topics.flush()
    job.topics.flush()
    job.send(event("hot", "order_paid", now()))
    (record,) = job.until_decided("hot")
    assert (record["activity"], record["outcome"]) == ("paired", "match")
    # Flink looks at a counter once a second, so what it says first may be of the midst of it.
    eventually(job.counters, lambda found: found["engine.runs_dropped"] + found["dead_letters.user_full"] > 300)
    assert job.counters()["engine.runs_dropped"] > 0


def uploaded_together(job: LiveJob) -> None:
    """Hours late, one after the other: what was done is not reminded of, and what was not is."""
    hours_ago = now() - 5 * 3_600_000
    for user, paid in (("paid", True), ("unpaid", False)):
        job.send(event(user, "cart", hours_ago))
        if paid:
            job.send(event(user, "checkout", hours_ago + 60_000))
    job.until_decided("unpaid")
    assert job.decisions("paid") == []
