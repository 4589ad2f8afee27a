"""A worker killed between reserve, call and commit: no second send, or exactly the one that its channel declares.

Eight channels, one for each point of death and each policy, so that all wait for Kafka's session time-out at once. On
every channel some deliveries go well, at the next one the worker kills itself, and another goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import Topics, eventually, now
from harness.rules import write_activity
from harness.world import Ledger, Providers, audit, deliver, new_database, write_conf
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.user.state import UserState
from tests.engine_kit import engine_of, rules

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

POINTS = ("after_reserve", "before_settle", "after_settle", "before_commit")
CHANNELS = ("sms", "email", "wechat", "push", "webhook", "in_app", "console", "file")
"""The first four leave what nobody knows of; the others call again."""
BEFORE, AFTER = 4, 3
"""How many deliveries are made before the fatal one, and after it."""
PREFIX = "killed."


def point_of(channel: str) -> str:
    return POINTS[CHANNELS.index(channel) % 4]


def resends(channel: str) -> bool:
    return CHANNELS.index(channel) >= 4


def activity(channel: str) -> str:
    return f"""\
activity: nudge_{channel}
state: live
trigger: {{event: {channel}_wanted}}
send: [{{channel: {channel}, template: t}}]
"""


@dataclass
class Aftermath:
    """`keys`: of each channel, in the order of decision; the one at `BEFORE` was fatal. `receipts`: by key."""

    conf: Path
    keys: dict[str, list[str]]
    taken: dict[str, int]
    calls: dict[str, int]
    rows: dict[str, dict[str, Any]]
    receipts: dict[str, list[dict[str, Any]]]


class Decider:
    """The engine in place of the job: decisions and deliveries, as the job would write them."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._engine = engine_of(
            rules(*map(activity, CHANNELS), templates=dict.fromkeys(map(template, CHANNELS), "hi"))
        )
        self.keys: dict[str, list[str]] = {channel: [] for channel in CHANNELS}

    def decide(self, count: int) -> None:
        """So many more on every channel."""
        for channel in CHANNELS:
            for _ in range(count):
                self._one(channel, f"{channel}{len(self.keys[channel])}")
        self._topics.flush()

    def _one(self, channel: str, user: str) -> None:
        time = now()
        (effect,) = self._engine.on_event(user, UserState(), Event(user, f"{channel}_wanted", time, "", {}, user), time)
        assert isinstance(effect, Candidate)
        record, delivery = effect.record, effect.delivery
        self._topics.send_raw(f"{PREFIX}decisions", user, msgspec.json.encode(record), time)
        self._topics.send_raw(f"{PREFIX}deliveries.{channel}", user, msgspec.json.encode(delivery), time)
        self.keys[channel].append(delivery_key(record.activity, user, record.occurrence, delivery.attempt))


def template(channel: str) -> str:
    return f"t.{channel}"


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    providers = Providers(tmp_path_factory.mktemp("providers"))
    yield providers
    providers.close()


@pytest.fixture(scope="module")
def aftermath(stack: Stack, providers: Providers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("killed")
    store = new_database(stack, "killed")
    conf = write_conf(folder / "conf.yaml", conf_of(stack, write_rules(folder / "rules"), store, providers))
    names = ["decisions", "receipts", *(f"deliveries.{channel}" for channel in CHANNELS)]
    create_topics(stack.settings.kafka, [PREFIX + name for name in names], 2)
    topics, ledger = Topics(stack.settings.kafka), Ledger(store)
    decider = Decider(topics)
    workers = [deliver(conf, channel, f"{point_of(channel)}:{BEFORE + 1}") for channel in CHANNELS]
    try:
        decider.decide(BEFORE)
        eventually(lambda: receipts(topics), lambda found: len(found) == BEFORE * len(CHANNELS))
        decider.decide(1)
        assert [worker.wait() for worker in workers] == [-9] * len(CHANNELS)
        decider.decide(AFTER)
        workers += [deliver(conf, channel) for channel in CHANNELS]
        everything = (BEFORE + 1 + AFTER) * len(CHANNELS)
        eventually(lambda: receipts(topics), lambda found: len(found) == everything)
        assert [worker.stop() for worker in workers[len(CHANNELS) :]] == [0] * len(CHANNELS)
        taken, calls = dict(providers.times_taken()), dict(ledger.calls())
        yield Aftermath(conf, decider.keys, taken, calls, ledger.rows(), receipts(topics))
    finally:
        for worker in workers:
            worker.kill()
        ledger.close()
        topics.close()


def conf_of(stack: Stack, folder: Path, store: str, providers: Providers) -> dict[str, Any]:
    def channel(name: str) -> dict[str, Any]:
        limits = {"timeout": "2s", "lease": "2s", "resend": resends(name)}
        return {"provider": "webhook", **providers.options["webhook"], **limits}

    return {
        "kafka": {"bootstrap": stack.settings.kafka, "prefix": PREFIX},
        "rules": {"store": str(folder)},
        "delivery": {"store": store, "channels": {name: channel(name) for name in CHANNELS}},
    }


def write_rules(folder: Path) -> Path:
    for channel in CHANNELS:
        write_activity(folder, f"nudge_{channel}", activity(channel))
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "templates" / f"{template(channel)}.liquid").write_text("hi")
    return folder


def receipts(topics: Topics) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for receipt in topics.read(f"{PREFIX}receipts"):
        props = receipt["props"]
        key = delivery_key(props["activity"], receipt["user_id"], props["occurrence"], props["attempt"])
        found.setdefault(key, []).append(receipt)
    return found


# times taken, calls begun, state, receipt of the fatal delivery
LEFT = {
    "after_reserve": (0, 1, "unknown", "unknown"),
    "before_settle": (1, 1, "unknown", "unknown"),
    "after_settle": (1, 1, "sent", "delivered"),
    "before_commit": (1, 1, "sent", "delivered"),
}
RESENT = {
    "after_reserve": (1, 2, "sent", "delivered"),
    "before_settle": (2, 2, "sent", "delivered"),
    "after_settle": (1, 1, "sent", "delivered"),
    "before_commit": (1, 1, "sent", "delivered"),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_fatal_delivery(aftermath: Aftermath, channel: str) -> None:
    key = aftermath.keys[channel][BEFORE]
    statuses = {receipt["props"]["status"] for receipt in aftermath.receipts[key]}
    found = (aftermath.taken.get(key, 0), aftermath.calls[key], aftermath.rows[key]["state"], *statuses)
    assert found == (RESENT if resends(channel) else LEFT)[point_of(channel)]


@pytest.mark.parametrize("channel", CHANNELS)
def test_its_neighbours_went_once(aftermath: Aftermath, channel: str) -> None:
    keys = aftermath.keys[channel]
    for key in keys[:BEFORE] + keys[BEFORE + 1 :]:
        assert (aftermath.taken[key], aftermath.calls[key], aftermath.rows[key]["state"]) == (1, 1, "sent")


def test_a_receipt_that_comes_again_is_the_same(aftermath: Aftermath) -> None:
    """After death before the commit the record is read again: its receipt goes out twice, with the time of the row."""
    repeated = [found for found in aftermath.receipts.values() if len(found) > 1]
    assert len(repeated) >= 2
    assert all(receipt == found[0] for found in aftermath.receipts.values() for receipt in found)


def test_the_audit_is_clean(aftermath: Aftermath) -> None:
    audit(aftermath.conf)
