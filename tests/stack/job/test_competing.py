"""20 activities compete for 1,000 users on real Kafka, Redis and Flink: every run decides what the engine alone does.

The test keeps the time: it writes records of the past, and beats in each partition say how far it has come. What a
budget refused acts ten seconds of event time later, so the beats go on only when the refusals stand in their topic.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from harness.job import MINUTE, PARTITIONS, LiveJob, eventually, key
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.stack import Stack
from kairos.engine.event import RECEIPT, Event
from kairos.engine.gate.budget import REFUSAL_KNOWN_AFTER
from tests.stack.job.competing import LIMITS, Reference, as_json, events, profiles, write_rules

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

Place = tuple[str, str, str]
"""Activity, user, occurrence."""
COMMITTED = ("sent", "unknown")
LATENESS = 2_000
LONGEST = REFUSAL_KNOWN_AFTER - 1_000
"""How far (ms) event time goes at a time where a budget refuses something."""
DAYS = 7 * 24 * 60 * MINUTE


@pytest.fixture(scope="module")
def reference() -> Reference:
    reference = Reference()
    reference.run(events(seed=1))
    return reference


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Iterator[Callable[[int], Run]]:
    write_profiles(connect(stack.settings.redis_url), profiles())
    runs: list[Run] = []

    def start(parallelism: int) -> Run:
        runs.append(Run(stack, tmp_path / f"run{len(runs)}", parallelism))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


class Refusals:
    """Those that stand in the topic of receipts, read on and on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        self._found: set[Place] = set()

    def read(self) -> set[Place]:
        for records in self._consumer.poll(timeout_ms=20).values():
            for record in records:
                receipt = msgspec.json.decode(record.value)
                if receipt.get("props", {}).get("status") == "released":
                    props = receipt["props"]
                    self._found.add((props["activity"], receipt["user_id"], props["occurrence"]))
        return self._found

    def close(self) -> None:
        self._consumer.close()


class Run:
    """A job that reads events and receipts of the past, and the hand that feeds it."""

    def __init__(self, stack: Stack, folder: Path, parallelism: int) -> None:
        rules = write_rules(folder / "rules")
        timing = ("time.watermark_interval=20ms", "time.alignment=0s", "profiles.ttl=1h")
        redis = f"profiles.redis={stack.settings.redis_url}"
        self.job = LiveJob(folder / "job", stack.settings.kafka, rules, (*timing, redis), root="past")
        name = self.job.name
        self.receipts = f"{name}.receipts"
        create_topics(stack.settings.kafka, [self.receipts], PARTITIONS)
        self._refusals = Refusals(stack.settings.kafka, self.receipts)
        self.job.settings.append(rf"kafka.events=past\.{name}\..*|{name}\.receipts")
        self.job.start("--set", f"job.parallelism={parallelism}").until_running()

    def feed(self, given: Iterable[Event], until: int) -> None:
        """Out of order by less than the lateness; then time goes on to `until`, once these have been read."""
        disorder = random.Random(until)
        for event in sorted(given, key=lambda event: event.time + disorder.randrange(LATENESS)):
            topic = self.receipts if event.type == RECEIPT else self.job.events
            self.job.topics.send_raw(topic, event.user_id, msgspec.json.encode(as_json(event)), event.time)
        self.job.topics.flush()
        for topic in (self.job.events, self.receipts):
            for partition in range(PARTITIONS):
                beat = until + LATENESS + 1
                self.job.topics.send_raw(topic, None, b'{"type":"heartbeat"}', beat, partition)
        self.job.topics.flush()

    def until_refused(self, refused: set[Place]) -> None:
        eventually(lambda: refused - self._refusals.read(), lambda missing: not missing)

    def close(self) -> None:
        self._refusals.close()
        self.job.close()

    def decided(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Each decision once: one that is repeated must be the same again."""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for record in self.job.decisions():
            assert found.setdefault(key(record), record) == record
        return found


def steps(reference: Reference, given: list[Event]) -> Iterator[tuple[list[Event], int, set[Place]]]:
    """What to write, how far time goes then, and whom the budgets have refused by then."""
    left = sorted(given, key=lambda event: event.time)
    refused = sorted(reference.refused)
    while refused:
        until = refused[0][0] + LONGEST
        yield (
            [event for event in left if event.time <= until],
            until,
            {(activity, user, occurrence) for at, activity, user, occurrence in refused if at <= until},
        )
        left = [event for event in left if event.time > until]
        refused = [one for one in refused if one[0] > until]
    yield left, max(record.at for record in reference.records) + DAYS, set()


def same_as(reference: Reference, run: Run) -> None:
    expected = {key(told(record)): told(record) for record in reference.records}
    eventually(lambda: expected.keys() - run.decided().keys(), lambda missing: not missing)
    assert run.job.process is not None
    assert run.job.process.terminate() == 0
    found = run.decided()
    assert sorted(found.keys() - expected.keys()) == []
    assert Counter(map(kind, found.values())) == Counter(map(kind, expected.values()))
    assert found == expected
    assert run.job.dead_letters() == []


def told(record: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return decoded


def kind(record: dict[str, Any]) -> tuple[str, str, str]:
    return (record["activity"], record["outcome"], record["reason"] or record["channel"])


def test_the_world_has_competition_in_it(reference: Reference) -> None:
    """Otherwise the runs would prove nothing."""
    outcomes = Counter(record.reason or record.outcome for record in reference.records)
    assert {
        "send",
        "control",
        "quiet_hours",
        "cap:marketing",
        "cap:patient",
        "cap:text_messages",
        "once",
        "budget",
    } <= {*outcomes}
    attempts = Counter(record.attempt or 1 for record in reference.records if record.outcome == "send")
    assert attempts[1] > 5_000
    assert attempts[2] > 1_000


def test_no_cap_and_no_budget_is_overshot(reference: Reference) -> None:
    """Counted from the records and receipts, without the engine."""
    took = {attempt_of(r.props | {"user_id": r.user_id}) for r in reference.receipts if r.props["status"] in COMMITTED}
    sends = [r for r in map(told, reference.records) if r["outcome"] == "send" and attempt_of(r) in took]
    spent = Counter(activity for activity, *_ in {attempt_of(record)[:3] for record in sends})
    budgets = {f"wish{number:02}": budget_of(LIMITS[number // 5]) for number in range(20)}
    limited = {name: budget for name, budget in budgets.items() if budget is not None}
    assert all(spent[name] <= budget for name, budget in limited.items())
    assert min(spent[name] for name in limited) > 0

    texts: defaultdict[str, list[int]] = defaultdict(list)
    white = {name for name, profile in profiles().items() if "white" in profile.get("lists", [])}
    for record in sends:
        capped = "text_messages" in LIMITS[int(record["activity"][4:]) // 5]
        if capped and record["channel"] == "sms" and record["user_id"] not in white:
            texts[record["user_id"]].append(record["at"])
    gaps = [b - a for times in texts.values() for a, b in itertools.pairwise(sorted(times))]
    assert gaps
    assert min(gaps) >= 30 * MINUTE


def attempt_of(record: Mapping[str, Any]) -> tuple[str, str, str, int]:
    return (record["activity"], record["user_id"], record["occurrence"], record.get("attempt", 1))


def budget_of(limits: str) -> int | None:
    _, _, rest = limits.partition("sends: ")
    return int(rest.partition("}")[0]) if rest else None


def test_undisturbed_with_one_slot(start: Callable[[int], Run], reference: Reference) -> None:
    run = start(1)
    for given, until, refused in steps(reference, [*events(seed=1), *reference.receipts]):
        run.feed(given, until)
        run.until_refused(refused)
    same_as(reference, run)


def test_killed_and_stopped_between_two_slots_and_one(start: Callable[[int], Run], reference: Reference) -> None:
    """A job that is started again knows no time until it reads a record, so time is told anew, as heartbeats do."""
    run = start(2)
    everything = list(steps(reference, [*events(seed=1), *reference.receipts]))
    for number, (given, until, refused) in enumerate(everything):
        run.feed(given, until)
        if number == len(everything) // 3:
            eventually(run.job.checkpoints, bool)
            run.job.process.kill()
            run.job.start("--set", "job.parallelism=2", "--from", "latest").until_running()
            run.feed([], until)
        if number == 2 * len(everything) // 3:
            assert run.job.process.terminate() == 0
            savepoint = run.job.process.said().partition("savepoint: ")[2].split()[0]
            run.job.start("--set", "job.parallelism=1", "--from", savepoint).until_running()
            run.feed([], until)
        run.until_refused(refused)
    same_as(reference, run)
