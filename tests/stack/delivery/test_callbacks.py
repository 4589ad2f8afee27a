"""From a delivery to the provider's report in the job's topic: worker, stand-in and callbacks as real processes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from harness.job import eventually
from harness.worker import DeliveryPlace, Worker, delivery
from harness.world import Running
from kairos.adapters.profiles.keys import PREFIX
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack

pytestmark = pytest.mark.stack


class Street:
    """The stand-ins of the providers, the callbacks' server, and a place with a Twilio channel that knows both."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        self.house = Running(folder / "house.out", ["kairos.apps.demo.providers", "--folder", str(folder / "house")])
        self.house.until_said("listening")
        opened = json.loads((folder / "house" / "providers.json").read_bytes())
        self.http = opened["http"]
        (self.port,) = free_ports(1)
        callback = f"http://127.0.0.1:{self.port}/callbacks/sms"
        twilio = {"provider": "twilio", **opened["options"]["twilio"], "status_callback": callback}
        self.place = DeliveryPlace(folder, stack, {"sms": twilio})
        arguments = ["kairos", "callbacks", "--conf", str(self.place.conf), "--port", str(self.port)]
        self.callbacks = Running(folder / "callbacks.out", arguments).until_said("listening")

    def direct(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(f"{self.http}/-/twilio/{path}", json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def close(self) -> None:
        self.place.close()
        for each in (self.house, self.callbacks):
            each.kill()


@pytest.fixture
def street(tmp_path: Path, stack: Stack) -> Iterator[Street]:
    street = Street(tmp_path, stack)
    yield street
    street.close()


@pytest.fixture
def worker(street: Street) -> Iterator[Worker]:
    worker = street.place.worker()
    yield worker.until_at_work()
    worker.kill()


def test_delivered_and_failed_come_back_to_the_job(street: Street, worker: Worker, stack: Stack) -> None:
    place: DeliveryPlace = street.place
    street.direct("PUT", "report", {"status": "delivered"})
    place.send(delivery("1001"))
    # a fast provider reports before its worker does
    eventually(place.statuses, lambda found: sorted(found.get("1001", ())) == ["delivered", "sent"])

    street.direct("PUT", "report", {"status": None})
    place.send(delivery("1002"))
    eventually(place.statuses, lambda found: found.get("1002") == ["sent"])
    answered = street.direct("POST", "reports", {"number": 2, "status": "undelivered", "code": "30005"})
    assert answered == {"answer": "200"}
    eventually(place.statuses, lambda found: found["1002"][-1] == "failed")
    with redis.Redis.from_url(stack.settings.redis_url, decode_responses=True) as profiles:
        assert json.loads(str(profiles.hget(PREFIX + "1002", "dead_addresses"))) == ["+1002"]
        profiles.delete(PREFIX + "1002")
    assert street.callbacks.stop() == 0
    assert "sms.delivered 1, sms.failed 1" in street.callbacks.said()


def test_an_answer_that_was_lost_is_known_by_the_report(street: Street, worker: Worker) -> None:
    """The worker leaves it: nobody can say. Then the provider does, and finds it by the key in the URL."""
    street.direct("POST", "faults", [{"kind": "cut"}])
    street.place.send(delivery("1003"))
    eventually(street.place.statuses, lambda found: found == {"1003": ["unknown"]})
    assert street.direct("POST", "reports", {"number": 1, "status": "delivered"}) == {"answer": "200"}
    eventually(street.place.statuses, lambda found: found == {"1003": ["unknown", "delivered"]})


def test_without_its_kafka_a_report_is_put_off(street: Street, worker: Worker, tmp_path: Path) -> None:
    street.place.send(delivery("1004"))
    eventually(street.place.statuses, lambda found: found == {"1004": ["sent"]})
    assert street.callbacks.stop() == 0
    (nobody,) = free_ports(1)
    arguments = ["--conf", str(street.place.conf), "--port", str(street.port)]
    away = ["--set", f"kafka.bootstrap=127.0.0.1:{nobody}"]
    street.callbacks = Running(tmp_path / "away.out", ["kairos", "callbacks", *arguments, *away]).until_said(
        "listening"
    )
    assert street.direct("POST", "reports", {"number": 1, "status": "delivered"}) == {"answer": "503"}
    assert street.callbacks.stop() == 0
    street.callbacks = Running(tmp_path / "back.out", ["kairos", "callbacks", *arguments]).until_said("listening")
    assert street.direct("POST", "reports", {"number": 1, "status": "delivered"}) == {"answer": "200"}
    eventually(street.place.statuses, lambda found: found == {"1004": ["sent", "delivered"]})
