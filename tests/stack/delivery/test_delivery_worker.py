"""`kairos deliver` on real Kafka, MariaDB and Redis."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import redis

from harness.job import eventually
from harness.worker import DeliveryPlace, Worker, delivery, now
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.keys import PREFIX
from kairos.apps.stack import Stack
from kairos.engine.dead_letter import dead_letter
from kairos.engine.effect import Recall

pytestmark = pytest.mark.stack

Place = Callable[..., DeliveryPlace]


@pytest.fixture
def place(tmp_path: Path, stack: Stack) -> Iterator[Place]:
    """`place(sms={...})`: options beside the file provider's path."""
    opened: list[DeliveryPlace] = []

    def make(store: str = "", **options: Any) -> DeliveryPlace:
        sms = {"provider": "file", "path": str(tmp_path / "outbox.jsonl"), "timeout": "1s", "lease": "1s", **options}
        opened.append(DeliveryPlace(tmp_path, stack, {"sms": sms}, store))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def one(place: DeliveryPlace, *arguments: str, **environment: str) -> Worker:
        started.append(place.worker(*arguments, **environment))
        return started[-1]

    yield one
    for worker in started:
        worker.kill()


def users(count: int, prefix: str = "u") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_everything_is_sent_once_and_a_second_worker_sends_nothing_again(
    place: Place, start: Callable[..., Worker], stack: Stack
) -> None:
    here = place(store=stack.settings.mysql_url)
    name = uuid.uuid4().hex[:8]
    worker = start(here).until_at_work()
    here.send(*(delivery(user, activity=name) for user in users(500)))
    eventually(here.statuses, lambda found: len(found) == 500)
    assert {message["text"] for message in here.sent()} == {f"Hello {user}" for user in users(500)}
    assert worker.stop() == 0
    assert "sent 500" in worker.said()

    again = start(here).until_at_work()
    here.send(*(delivery(user, activity=name) for user in users(20)), delivery("new", activity=name))
    eventually(here.statuses, lambda found: "new" in found)
    assert again.stop() == 0
    assert len(here.sent()) == 501
    rows = [row for row in here.rows() if row["activity"] == name]
    assert {(row["state"], row["calls"]) for row in rows} == {("sent", 1)}


def test_two_workers_share_and_one_takes_over(place: Place, start: Callable[..., Worker], stack: Stack) -> None:
    here = place(store=stack.settings.mysql_url)
    name = uuid.uuid4().hex[:8]
    first = start(here).until_at_work()
    second = start(here).until_at_work()
    here.send(*(delivery(user, activity=name) for user in users(200)))
    eventually(here.statuses, lambda found: len(found) == 200)
    first.process.kill()
    here.send(*(delivery(user, activity=name) for user in users(200, "v")))
    eventually(here.statuses, lambda found: len(found) == 400)
    assert second.stop() == 0
    keys = [message["key"] for message in here.sent()]
    assert len(keys) == len(set(keys)) == 400


@pytest.mark.parametrize(
    ("point", "told", "status"), [("before_settle", 1, "unknown"), ("before_commit", 2, "delivered")]
)
def test_killed(place: Place, start: Callable[..., Worker], point: str, told: int, status: str) -> None:
    """`told`: receipts; one is repeated where the record is read again. tests/faults has all points and policies."""
    here = place()
    worker = start(here, KAIROS_FAIL_AT=f"{point}:1").until_at_work()
    here.send(delivery("u1"))
    assert worker.wait() == -9
    start(here).until_at_work()
    eventually(here.receipts, lambda found: len(found) == told)
    assert here.statuses() == {"u1": [status]}
    assert len(here.sent()) == 1


def test_several_channels_are_a_process_each_and_started_again(
    tmp_path: Path, stack: Stack, start: Callable[..., Worker]
) -> None:
    options = {name: {"provider": "file", "path": str(tmp_path / "outbox.jsonl")} for name in ("sms", "push")}
    here = DeliveryPlace(tmp_path, stack, options)
    try:
        together = start(here, "sms", "push").until_said("push: worker").until_said("sms: worker")
        (sms,) = (child for child in children(together) if "sms" in child.cmdline())
        (push,) = (child for child in children(together) if "push" in child.cmdline())
        sms.kill()
        together.until_said("the worker of sms ended with -9")
        eventually(lambda: together.said().count("sms: worker"), lambda count: count == 2)
        here.send(delivery("u1"))
        eventually(here.statuses, lambda found: "u1" in found)
        assert push.is_running()
        assert together.stop() == 0
        assert not push.is_running()
    finally:
        here.close()


def test_workers_end_with_the_process_that_started_them(
    tmp_path: Path, stack: Stack, start: Callable[..., Worker]
) -> None:
    options = {name: {"provider": "file", "path": str(tmp_path / "outbox.jsonl")} for name in ("sms", "push")}
    here = DeliveryPlace(tmp_path, stack, options)
    here.close()
    together = start(here, "sms", "push").until_said("push: worker").until_said("sms: worker")
    orphans = children(together)
    together.kill()
    eventually(lambda: [child for child in orphans if child.is_running()], lambda found: not found)


def children(worker: Worker) -> list[psutil.Process]:
    return psutil.Process(worker.process.pid).children()


def test_pause_rate_and_recall_while_it_runs(place: Place, start: Callable[..., Worker]) -> None:
    here = place()
    worker = start(here).until_at_work()
    kairos(here, "pause", "sms", "--reason", "a test")
    worker.until_said("paused by")
    waiting = delivery("recalled")
    here.send(waiting, delivery("kept"))
    here.send(Recall("nudge", "recalled", "o1", 1, "sms", now()))
    eventually(here.statuses, lambda found: found == {"recalled": ["recalled"]})
    assert here.sent() == []
    assert "paused by" in kairos(here, "list")
    kairos(here, "rate", "sms", "50")
    kairos(here, "resume", "sms")
    eventually(here.statuses, lambda found: found.get("kept") == ["delivered"])
    assert "50 a second" in kairos(here, "list")
    assert worker.stop() == 0


def test_what_cannot_be_sent_is_a_dead_letter(place: Place, start: Callable[..., Worker]) -> None:
    here = place()
    start(here).until_at_work()
    here.topics.send_raw(f"{here.prefix}deliveries.sms", "u1", b"{broken", now())
    here.send(delivery("u2", template="missing"), delivery("u3", values={}), delivery("u4", send_before=now() - 1))
    letters = eventually(here.letters, lambda found: len(found) == 3)
    assert sorted(letter["reason"] for letter in letters) == ["content", "content", "malformed"]
    found = eventually(here.statuses, lambda found: len(found) == 3)
    assert found == {"u2": ["failed"], "u3": ["failed"], "u4": ["expired"]}


def test_failed_deliveries_and_events_are_replayed(place: Place, start: Callable[..., Worker]) -> None:
    here = place()
    start(here).until_at_work()
    here.send(delivery("u1", template="later"), delivery("u2", template="never"), delivery("u3", template="never"))
    eventually(here.letters, lambda found: len(found) == 3)
    assert kairos(here, "list", "--reason", "content", group="dead-letters").count("templates/never.sms.liquid") == 2
    (here.folder / "rules" / "templates" / "later.sms.liquid").write_text("now it is there\n")
    eventually(lambda: _replayed(here, "u1"), lambda found: found[-1:] == ["delivered"])
    refused = kairos(here, "replay", "--channel", "sms", "--user", "u1", group="dead-letters", status=1)
    assert "only what has failed can be sent again, and this is 'sent' in the ledger" in refused
    assert [message["text"] for message in here.sent()] == ["now it is there"]

    origin, letters = f"{here.prefix}events.shop", f"{here.prefix}dead-letters"
    create_topics(here.topics.bootstrap, [origin, letters], 1)
    value = b'{"type": "order", "props": {}}'
    here.topics.send_raw(letters, "u9", dead_letter("missing_prop", "why", f"{origin}/0@7", 5, "u9", value, 100), 5)
    here.topics.flush()
    kairos(here, "replay", "--reason", "missing_prop", group="dead-letters")
    assert here.topics.read(origin) == [msgspec.json.decode(value)]


def _replayed(here: DeliveryPlace, user: str) -> list[str]:
    """Asks for it again, until the edited folder counts: it has to be still for a while. What is sent is refused."""
    with suppress(AssertionError):
        kairos(here, "replay", "--user", user, group="dead-letters")
    return here.statuses().get(user, [])


def kairos(here: DeliveryPlace, *arguments: str, group: str = "channel", status: int = 0) -> str:
    command = [Path(sys.executable).with_name("kairos"), group, *arguments, "--conf", here.conf]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr
    if status:
        return done.stderr
    return done.stdout


def test_lists_in_redis_grow_and_keep_what_is_there(stack: Stack) -> None:
    from kairos.adapters.profiles.lists import RedisLists

    client = redis.Redis.from_url(stack.settings.redis_url)
    user = uuid.uuid4().hex
    client.hset(PREFIX + user, mapping={"phone": "1", "unsubscribed": '["push"]', "dead_addresses": "no list"})
    lists = RedisLists(client)
    for _ in range(2):
        lists.opted_out(user, "sms")
        lists.dead_address(user, "1")
        lists.dead_address(user, "é2")
    found = client.hgetall(PREFIX + user)
    assert found == {
        b"phone": b"1",
        b"unsubscribed": b'["push","sms"]',
        b"dead_addresses": '["no list","1","é2"]'.encode(),  # what could not be read stands for itself
    }
