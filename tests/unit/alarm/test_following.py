"""While it happens: facts from topics, everybody told once, and a process that starts anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.alarms.kafka import Read
from kairos.adapters.alarms.letters import Letters
from kairos.adapters.alarms.receiver import Receiver
from kairos.adapters.alarms.records import Facts
from kairos.adapters.alarms.said import SaidFile
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.spec import Alarm, Alarms, Change, Known
from kairos.engine.alarm.watch import Watch
from kairos.usecases.alarms.follow import Desk, Following, recall
from tests.unit.alarm.alarm_kit import HOUR, MINUTE, NOW, only
from tests.unit.warehouse.warehouse_kit import decision, receipt

ALARMS = Alarms({"DeliveryFailing": Alarm("DeliveryFailing"), "WatermarkAge": Alarm("WatermarkAge", send_to=("ops",))},
                send_to=("team",))  # fmt: skip


class Told:
    """A receiver that takes everything, or nothing while it is `away`."""

    def __init__(self, repeats: bool = False) -> None:
        self.repeats = repeats
        self.heard: list[tuple[str, bool]] = []
        self.away = False

    async def tell(self, changes: Sequence[Change]) -> list[Change]:
        if self.away:
            return []
        self.heard += [(change.alarm, change.firing) for change in changes]
        return list(changes)

    async def close(self) -> None: ...


class Topics:
    """A feed; `now` is what its clock says."""

    def __init__(self) -> None:
        self.waiting: list[Read] = []
        self.caught_up = True

    def look(self) -> None: ...

    def take(self, seconds: float) -> list[Read]:
        taken, self.waiting = self.waiting, []
        return taken

    def has_caught_up(self) -> bool:
        return self.caught_up


class World:
    def __init__(self, memory: Path | None = None) -> None:
        self.now, self.watermark = NOW, NOW
        self.topics, self.team, self.ops = Topics(), Told(), Told(repeats=True)
        receivers: dict[str, Receiver] = {"team": self.team, "ops": self.ops}
        self.said: list[Change] = []
        self.watch, desk = Watch(ALARMS, Known()), Desk(ALARMS, receivers, SaidFile(memory))
        self.following = Following(
            self.watch, desk, self.topics, lambda: self.now, lambda: self.watermark, self.said.append, 0
        )

    def minute(self, *records: Read) -> None:
        """A minute goes by in which these came."""
        self.topics.waiting += records
        self.now += MINUTE
        asyncio.run(self.following.round())


def record(topic: str, document: dict[str, Any]) -> Read:
    return Read(topic, json.dumps(document).encode())


def receipts(at: int, sent: int, failed: int) -> list[Read]:
    told = [(sent, "sent"), (failed, "failed")]
    return [record("receipts", receipt(at, status=status)) for n, status in told for _ in range(n)]


def test_who_is_to_be_told_is_told_once() -> None:
    world = World()
    world.minute(*receipts(NOW, 100, 20))
    world.watermark = NOW + MINUTE
    for _ in range(3):
        world.minute(*receipts(world.now, 100, 20))
    assert world.team.heard == [("DeliveryFailing", True)]
    assert world.ops.heard == []
    for _ in range(12):
        world.minute(*receipts(world.now, 100, 0))
    assert world.team.heard == [("DeliveryFailing", True), ("DeliveryFailing", False)]


def test_who_forgets_is_told_again_every_minute() -> None:
    world = World()
    world.minute()
    for _ in range(8):
        world.minute()
    assert world.ops.heard[:2] == [("WatermarkAge", True)] * 2
    assert world.team.heard == [], "it is not for them"


def test_who_is_away_is_told_later() -> None:
    world = World()
    world.team.away = True
    for _ in range(3):
        world.minute(*receipts(world.now, 100, 20))
    assert [c.alarm for c in world.said] == ["DeliveryFailing"]
    world.team.away = False
    world.minute()
    assert world.team.heard == [("DeliveryFailing", True)]


def test_a_process_that_starts_anew_says_nothing_twice(tmp_path: Path) -> None:
    memory = tmp_path / "alarms.json"
    first = World(memory)
    for _ in range(3):
        first.minute(*receipts(first.now, 100, 20))
    again = World(memory)
    for _ in range(3):
        again.minute(*receipts(again.now, 100, 20))
    assert (first.team.heard, again.team.heard) == ([("DeliveryFailing", True)], [])
    for _ in range(12):
        again.minute(*receipts(again.now, 100, 0))
    assert again.team.heard == [("DeliveryFailing", False)]


def test_a_process_that_starts_anew_does_not_take_a_stale_crowd_for_a_fresh_one(tmp_path: Path) -> None:
    """Nor one that was never built, of which no warehouse tells: its release does. A new release makes none younger."""
    known = Known(refresh={"lapsing": HOUR, "never": HOUR})
    built, memory, told = Fact(NOW, "snapshot", "lapsing"), tmp_path / "alarms.json", Told()
    for start in (NOW, NOW + 3 * HOUR, NOW + 4 * HOUR):
        watch = Watch(only("CrowdStale"), known)
        desk = Desk(Alarms({"CrowdStale": Alarm("CrowdStale")}, send_to=("team",)), {"team": told}, SaidFile(memory))
        recall(watch, [built])
        watch.expect(known.refresh, NOW)
        following = Following(watch, desk, Topics(), lambda at=start: at, lambda: None, lambda _change: None, 0)
        asyncio.run(following.round())
    assert told.heard == [("CrowdStale", True)] * 2
    watch.expect(known.refresh, NOW + 4 * HOUR)
    assert list(watch.advance(NOW + 5 * HOUR)) == []
    watch.hear(Fact(NOW + 5 * HOUR, "snapshot", "lapsing"))
    assert [(one.subject, one.firing) for one in watch.advance(NOW + 5 * HOUR + MINUTE)] == [("lapsing", False)]


def test_nothing_is_judged_before_the_backlog_is_read() -> None:
    world = World()
    world.topics.caught_up = False
    for _ in range(3):
        world.minute(*receipts(world.now, 100, 20))
    assert world.said == []
    world.topics.caught_up = True
    world.minute()
    assert [c.alarm for c in world.said] == ["DeliveryFailing"]


@pytest.mark.parametrize(
    "value",
    [b"", b'{"type":"heartbeat"}', b"[]", b"\xff", json.dumps(decision(shadow=True)).encode()],
    ids=["nothing", "heartbeat", "list", "no text", "shadow"],
)
def test_what_is_no_fact_is_passed_over(value: bytes) -> None:
    world = World()
    world.minute(Read("decisions", value), Read("receipts", value), Read("crowds", value), Read("dead-letters", value))
    assert world.said == []


def test_a_message_counts_once_whether_it_is_delivered_at_once_or_by_a_report() -> None:
    """A webhook's is `delivered` when it is taken, and nobody says `sent`: 5 % of such messages fail, not all."""
    world = World()
    for _ in range(5):
        at_once = [record("receipts", receipt(world.now, occurrence=f"{n}", status="delivered")) for n in range(95)]
        by_report = [
            record("receipts", receipt(world.now, activity="later", occurrence=f"{world.now}-{n}", status=status))
            for status in ("sent", "delivered")
            for n in range(95)
        ]
        failed = [
            record("receipts", receipt(world.now, activity=name, occurrence=f"f{n}", status="failed"))
            for name in ("hello", "later")
            for n in range(5)
        ]
        world.minute(*at_once, *by_report, *failed)
    begun = {change.subject: change.text.partition(" in ")[0] for change in world.said}
    assert begun == dict.fromkeys(("hello", "later"), "messages failed: 5.0% of 200")


def test_kinds_of_records() -> None:
    told = Facts()

    def words(topic: str, document: dict[str, Any]) -> list[tuple[str, str, str]]:
        return [(f.what, f.subject, f.channel) for f in told.of(topic, json.dumps(document).encode())]

    assert words("decisions", decision()) == [("send", "hello", "sms")]
    assert words("decisions", decision(attempt=2)) == [("again", "hello", "sms")]
    assert words("decisions", decision(outcome="hold", reason="cap:marketing", channel=None)) == [
        ("hold.cap", "hello", "")
    ]
    assert words("decisions", decision(outcome="suppress", reason="paused", channel=None)) == [
        ("suppress.paused", "hello", "")
    ]
    assert words("decisions", decision(outcome="goal")) == []
    assert words("receipts", receipt(status="failed", reason="opted_out: 21610")) == [
        ("failed", "hello", "sms"),
        ("unsubscribe", "hello", "sms"),
    ]
    assert words("receipts", receipt(status="delivered")) == [("sent", "hello", "sms")]
    assert words("receipts", receipt(occurrence="o2", status="sent")) == [("sent", "hello", "sms")]
    assert words("receipts", receipt(occurrence="o2", status="delivered")) == []
    assert words("receipts", receipt(occurrence="o2", status="read")) == []
    letter = {"reason": "rejected", "message": "", "origin": "x/0@1", "ts": NOW, "key": None, "value": "", "size": 0}
    assert words("dead-letters.sms", letter) == [("letter", "", "sms")]
    assert words("crowds", {"crowd": "lapsing", "n": 2, "as_of": NOW, "at": NOW, "size": 7}) == [
        ("snapshot", "lapsing", "")
    ]


def test_the_past_is_not_said_but_what_lasts() -> None:
    world = World()
    past = [Fact(at, what, "hello", "sms", n) for at in range(NOW - HOUR, NOW, MINUTE)  # type: ignore[arg-type]
            for what, n in (("sent", 100), ("failed", 20))]  # fmt: skip
    recall(world.watch, past)
    assert world.said == []
    world.minute(*receipts(world.now, 100, 20))
    assert world.team.heard == [("DeliveryFailing", True)], "it began in the past, and lasts"


def test_dead_letters_of_the_past_come_from_elsewhere_as_far_as_the_past_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of its newest minute, and later ones, are heard again where everything else is: in Kafka."""
    watch, at = Watch(only("DeadLetters"), Known()), range(NOW - 3 * MINUTE, NOW + 3 * MINUTE, MINUTE)
    letters = Letters([Fact(minute, "letter", "", "sms", 1) for minute in at], NOW - HOUR)
    heard: list[Fact] = []
    monkeypatch.setattr(watch, "hear", heard.append)
    past = [Fact(NOW - 2 * MINUTE, "sent", "hello", "sms", 1), Fact(NOW, "sent", "hello", "sms", 1)]
    assert recall(watch, past, letters) == NOW
    letters_heard = [fact.at for fact in heard if fact.what == "letter"]
    assert letters_heard == [NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - MINUTE]


def test_without_a_past_time_begins_now() -> None:
    world = World()
    recall(world.watch, [])
    world.minute(*receipts(world.now, 100, 0))
    assert world.watch.played == 0
    assert world.following.judged == world.now, "and not in 1970, minute by minute"


def test_the_newest_minute_of_the_past_is_heard_once() -> None:
    """The warehouse may have half of it, and Kafka has all."""
    world = World()
    facts = [Fact(at, "sent", "hello", "sms", 1) for at in (NOW - 2 * MINUTE, NOW - MINUTE, NOW - MINUTE + 7)]
    assert recall(world.watch, facts) == NOW - MINUTE
    assert world.watch.played == NOW - 2 * MINUTE
    assert recall(World().watch, []) == 0
