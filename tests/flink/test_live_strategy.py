"""Ten journeys and five schedules on Kafka: killed and rescaled, the job decides what `simulate` does on the same past.

The file of events is made up, the scheduler runs ahead under a clock of its own, and the receipts are those that a
provider would give for what is sent. No budget refuses anything here, for a refusal reaches the job as a receipt of its
own (tests/stack/job/test_competing.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.clickstream import DAY, MINUTE, clickstream, profiles
from harness.job import PARTITIONS, LiveJob, eventually
from harness.journeys import JOURNEYS, rules_with_journeys
from harness.schedules import SCHEDULES, add_schedules
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.rules.files import read_folder
from kairos.apps.stack import Stack
from kairos.engine.decision import Record, share_of
from kairos.engine.event import RECEIPT, Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.schedule.due import line_of
from tests.scheduler_kit import World, run_until

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

USERS, DAYS = 40, 14
PEOPLE = profiles(USERS)


class Past:
    """What happened: `events` of the shop, `slots` as the scheduler told them, `receipts`; and what is `expected`."""

    def __init__(self, rules: RuleSet, folder: Path) -> None:
        self.events = clickstream(USERS, DAYS, seed=7)
        self.first, self.last = self.events[0].time, self.events[-1].time
        self.slots = told_slots(rules, folder, self.first, self.last)
        self.receipts: list[Event] = []
        while True:  # what a receipt brings about is later than it, so each round is right for longer
            records = list(Simulation(rules, PEOPLE).run([*self.events, *self.receipts], self.first, self.last))
            receipts = [receipt for record in records for receipt in receipts_of(record)]
            if receipts == self.receipts:
                break
            self.receipts = receipts
        self.expected = [msgspec.json.decode(msgspec.json.encode(record)) for record in records]


def told_slots(rules: RuleSet, folder: Path, first: int, last: int) -> list[Event]:
    world = World(folder, PEOPLE, rules)
    world.now, world.release = first - 1, msgspec.structs.replace(world.release, effective_at=first - 1)
    run_until(world, world.scheduler(), last)
    return world.told


def receipts_of(record: Record) -> Iterator[Event]:
    """Some fail, some are read at once, some are clicked; by a hash of the attempt."""
    if record.outcome != "send":
        return
    attempt = f"{record.activity}/{record.occurrence}/{record.attempt or 1}"
    fate = share_of(record.user_id, attempt)
    failed, clicked = fate < 0.15, fate > 0.6
    for status, after in (("sent", 2_000), ("failed" if failed else "delivered", 40_000), ("clicked", 5 * MINUTE)):
        if status != "clicked" or (clicked and not failed):
            props = {"activity": record.activity, "occurrence": record.occurrence, "status": status,
                     "attempt": record.attempt or 1, "channel": record.channel}  # fmt: skip
            at = record.at + after + int(fate * 1_000)
            yield Event(f"{attempt}/{status}/{record.user_id}", RECEIPT, at, "provider", props, record.user_id)


class LivePast:
    """Hands the past to a job, part by part, as Kafka would hold it: a topic for each who writes."""

    def __init__(self, past: Past, job: LiveJob) -> None:
        self.job = job
        self.topics = {name: f"past.{job.name}.{name}" for name in ("shop", "kairos", "receipts")}
        create_topics(job.topics.bootstrap, self.topics.values(), PARTITIONS)
        written = [(event, "shop") for event in past.events] + [(event, "kairos") for event in past.slots]
        written += [(event, "receipts") for event in past.receipts]
        self.waiting = sorted(written, key=lambda pair: pair[0].order, reverse=True)

    def go_on(self, time: int) -> None:
        """All of it before this time (epoch ms), and that it was all. Back when the job has begun to decide it."""
        before = len(self.committed())
        while self.waiting and self.waiting[-1][0].time < time:
            event, name = self.waiting.pop()
            self.job.topics.send_raw(self.topics[name], event.user_id, line_of(event), event.time)
        self.job.beat(time, *self.topics.values())
        eventually(self.committed, lambda found: len(found) > before)

    def committed(self) -> list[dict[str, Any]]:
        return self.job.topics.read(f"{self.job.name}.decisions", committed=True)


@pytest.fixture
def job(stack: Stack, tmp_path: Path) -> Iterator[Callable[[Path], LiveJob]]:
    made: list[LiveJob] = []

    def make(rules: Path) -> LiveJob:
        (tmp_path / "people.json").write_bytes(msgspec.json.encode(PEOPLE))
        overrides = ("kafka.exactly_once=true", "time.alignment=0s", f"profiles.file={tmp_path / 'people.json'}")
        made.append(LiveJob(tmp_path / "job", stack.settings.kafka, rules, overrides, root="past"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_killed_and_rescaled_the_job_decides_as_simulate_does(job: Callable[[Path], LiveJob], tmp_path: Path) -> None:
    folder = add_schedules(rules_with_journeys(tmp_path / "rules"))
    for file in (folder / "activities" / "loyalty").glob("third_purchase_30d.*"):
        file.unlink()  # it has a budget
    loaded = load(read_folder(folder))
    assert loaded.rules is not None, [finding for finding in loaded.findings if finding.level == "error"]
    past = Past(loaded.rules, tmp_path)
    live = LivePast(past, job(folder))
    parts = [past.first + (past.last - past.first) * n // 4 for n in (1, 2, 3)]

    live.job.start().until_running()
    live.go_on(parts[0])
    live.job.process.kill()  # type: ignore[union-attr]  # it was started
    live.job.start("--from", "latest").until_running()
    live.go_on(parts[1])
    live.job.start("--from", live.job.stop(), "--set", "job.parallelism=2").until_running()
    live.go_on(parts[2])
    live.job.start("--from", live.job.stop(), "--set", "job.parallelism=1").until_running()
    live.go_on(past.last + 400 * DAY)

    found = eventually(live.committed, lambda found: len(found) >= len(past.expected))
    assert told(found) == told(past.expected)
    names = {record["activity"].partition(".")[0] for record in found}
    assert names >= JOURNEYS.keys() | {Path(file).stem for file in SCHEDULES}
    assert {record["reason"] for record in found} >= {"duplicate_address", "quiet_hours", "once", "unreachable"}


def told(records: list[dict[str, Any]]) -> Counter[bytes]:
    return Counter(msgspec.json.encode(record, order="deterministic") for record in records)
