"""The embedded run decides what the engine alone decides on the same file, record for record."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.job import JobProcess
from harness.journeys import JOURNEYS, rules_with_journeys
from harness.rules import PROMOTION, SCRIPTED, THIRD, UNPAID, write_rules
from kairos.adapters.files.events import EventFile
from kairos.adapters.rules.files import read_folder
from kairos.apps.native.settings import data_folder
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.usecases.operation.dataset.clickstream import prepare

pytestmark = [pytest.mark.flink, pytest.mark.timeout(600)]


def lines_of(output: Path, topic: str) -> list[dict[str, Any]]:
    files = sorted((output / "parts" / f"topic={topic}").glob("part-*"))
    return [msgspec.json.decode(line) for file in files for line in file.read_bytes().splitlines()]


def simulated(rules: Path, events: list[Event], profiles: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    loaded = load(read_folder(rules))
    assert loaded.rules is not None, loaded.findings
    return [
        msgspec.json.decode(msgspec.json.encode(record)) for record in Simulation(loaded.rules, profiles).run(events)
    ]


def events_of(file: Path) -> list[Event]:
    events = EventFile(lambda _line, _reason, _content: None)
    with file.open("rb") as stream:
        events.read(stream)
    return list(events.events)


def run(folder: Path, events: Path, rules: Path, *overrides: str) -> Path:
    output = folder / "out"
    settings = {"files.events": events, "files.output": output, "rules.store": rules, "job.log_dir": folder / "log"}
    words = [f"{key}={value}" for key, value in settings.items()] + list(overrides)
    arguments = [word for setting in words for word in ("--set", setting)]
    job = JobProcess(folder, ["--conf", "conf/embedded.yaml", *arguments])
    assert job.wait() == 0, job.said()
    return output


def in_order(records: list[dict[str, Any]]) -> list[bytes]:
    return sorted(msgspec.json.encode(record, order="deterministic") for record in records)


CALENDAR = {
    "activities/t/morning.yaml": """activity: morning
state: live
trigger: {schedule: {daily: "09:00"}, crowd: buyers}
pace: {rate: 3 per 10m}
data: {slot: slot.slot, orders: metric.orders}
send: [{channel: email, template: hello}]
""",
    "activities/t/birthday.yaml": """activity: birthday
state: live
trigger: {schedule: {yearly: profile.birthday, time: "10:00", before: 1d}}
send: [{channel: webhook}]
""",
    "activities/t/follow.yaml": """activity: follow
state: live
trigger: {pattern: [{sent: morning, as: first}, {absent: {sent: birthday}}], within: 1d}
data: {slot: first.slot, via: first.channel}
send: [{channel: webhook}]
goal: {event: message.sent, where: activity == "birthday", within: 30d}
""",
    "activities/t/drop.yaml": """activity: drop
state: live
trigger: {event: catalog.changed, as: c, where: price < was_price}
data: {sku: c.sku, was: c.was_price, code: 'coupon("spring")', again: "products[c.sku].price"}
send: [{channel: webhook, template: drop}]
""",
    "catalogs.yaml": "products: {key: sku, fields: {price: number}, follow: {order: 1d}, max_followers: 1}\n",
    "coupons.yaml": "spring: {codes: codes.txt, per_user: 1}\n",
    "codes.txt": "".join(f"C{n}\n" for n in range(20)),
    "templates/drop.webhook.liquid": "{{ products[sku].price }} {{ code }}\n",
    "crowds.yaml": "buyers: {where: metric.orders >= 1}\n",
    "metrics.yaml": "orders: {count: order, window: 7d}\nsends: {count: message.sent, window: 7d}\n",
    "policy.yaml": "timezone: Asia/Shanghai\n",
    "templates/hello.email.liquid": "Subject: Hello\n\nHello, {{ orders }} orders.\n",
}


def test_schedules_own_events_catalogs_and_coupons(tmp_path: Path) -> None:
    """Slots, their pace and crowds, receipts that are assumed and what follows them, changes in a catalog and codes: as
    a simulation has them.

    Users compete for nothing at one instant: a bounded job does not take them in their order then.
    """
    rng, start = random.Random(5), 1_793_620_800_000  # 2026-11-02T12:00Z
    for name, text in CALENDAR.items():
        (tmp_path / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rules" / name).write_text(text)
    zones = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "")
    profiles = {
        f"u{n}": {"email": f"{n // 2}@example.com", "birthday": f"1990-11-{n % 9 + 1:02}", "timezone": zones[n % 4]}
        for n in range(24)
    }
    (tmp_path / "profiles.json").write_bytes(msgspec.json.encode(profiles))
    lines = [
        {"id": f"e{n}", "type": "order", "user_id": f"u{rng.randrange(30)}", "source": "shop", "props": {"sku": n % 3},
         "time": start + rng.randrange(6 * 86_400_000)}
        for n in range(150)
    ]  # fmt: skip
    lines += [
        {"id": f"i{n}", "type": "catalog.item", "user_id": "shop", "source": "shop", "time": start + n * 9_000_000,
         "props": {"catalog": "products", "sku": n % 3, "price": rng.randrange(100)}}
        for n in range(50)
    ]  # fmt: skip
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    output = run(tmp_path, events, tmp_path / "rules", f"profiles.file={tmp_path}/profiles.json")
    expected = simulated(tmp_path / "rules", events_of(events), profiles)
    assert in_order(lines_of(output, "decisions")) == in_order(expected)
    counted = Counter((record["activity"], record["outcome"], record["reason"]) for record in expected)
    assert {key[0] for key in counted} == {"morning", "birthday", "follow", "drop"}
    assert {key[2] for key in counted} >= {"duplicate_address", "unreachable", "budget"}


@pytest.mark.slow
def test_the_clickstream_with_the_example_rules(tmp_path: Path) -> None:
    prepare(data_folder() / "data")
    events, profiles = data_folder() / "data" / "ecom.jsonl", data_folder() / "data" / "profiles.json"
    output = run(tmp_path, events, Path("rules"), f"profiles.file={profiles}")
    expected = simulated(Path("rules"), events_of(events), msgspec.json.decode(profiles.read_bytes()))
    decisions = lines_of(output, "decisions")
    assert {record["outcome"] for record in expected} >= {"send", "suppress"}
    assert in_order(decisions) == in_order(expected)
    sends = Counter(
        (r["activity"], r["user_id"], r["occurrence"], r["channel"]) for r in decisions if r["outcome"] == "send"
    )
    channels = {channel for *_, channel in sends}
    deliveries = [line for channel in channels for line in lines_of(output, f"deliveries.{channel}")]
    assert Counter((d["activity"], d["user_id"], d["occurrence"], d["channel"]) for d in deliveries) == sends
    assert lines_of(output, "dead-letters") == []


@pytest.mark.slow
def test_ten_journeys_on_the_clickstream(tmp_path: Path) -> None:
    prepare(data_folder() / "data")
    events, profiles = data_folder() / "data" / "ecom.jsonl", data_folder() / "data" / "profiles.json"
    rules = rules_with_journeys(tmp_path / "rules")
    output = run(tmp_path, events, rules, f"profiles.file={profiles}")
    expected = simulated(rules, events_of(events), msgspec.json.decode(profiles.read_bytes()))
    assert {record["activity"].partition(".")[0] for record in expected} >= JOURNEYS.keys()
    assert in_order(lines_of(output, "decisions")) == in_order(expected)


T = 1_763_778_000_000


def test_repetitions_of_a_user_of_whom_more_is_remembered_than_the_value_holds(tmp_path: Path) -> None:
    """They come with a time of their own: one that is not known again would be decided again."""
    sold = "activity: sold\nstate: live\ntrigger: {event: order, where: number % 50 == 0}\ndata: {number: number}\n"
    (tmp_path / "rules" / "activities" / "t").mkdir(parents=True)
    (tmp_path / "rules" / "activities" / "t" / "sold.yaml").write_text(sold)
    numbers = [*range(8_000), *range(8_000)]
    lines = [
        {"id": f"e{number}", "type": "order", "user_id": "u1", "source": "shop", "time": T + at * 1_000,
         "props": {"number": number}}
        for at, number in enumerate(numbers)
    ]  # fmt: skip
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    (tmp_path / "profiles.json").write_text("{}")
    output = run(tmp_path, events, tmp_path / "rules", f"profiles.file={tmp_path}/profiles.json")
    decided = lines_of(output, "decisions")
    assert [record["data"]["number"] for record in decided] == list(range(0, 8_000, 50))
    assert in_order(decided) == in_order(simulated(tmp_path / "rules", events_of(events)))


def random_events(count: int, seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {
            "id": f"e{number}",
            "type": chance.choice(["order_created", "order_paid", "view", "other"]),
            "user_id": f"u{chance.randrange(20)}",
            "time": T + chance.randrange(3_600_000),
            "props": {"order_id": f"o{chance.randrange(5)}"},
        }
        for number in range(count)
    ]


def random_receipts(count: int, seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {
            "type": "receipt",
            "user_id": f"u{chance.randrange(20)}",
            "time": T + chance.randrange(3_600_000),
            "props": {"activity": "promotion", "status": chance.choice(["sent", "delivered", "failed"])},
        }
        for _ in range(count)
    ]


BAD = [
    b'{"id": "x1", "type": "view", "user_id"',
    b'{"id": "x2", "type": "view", "time": 1763778000000}',
    b'{"id": "x3", "type": "view", "user_id": 7, "time": 1763778000000}',
    b'{"id": "x4", "type": "view", "user_id": "u1", "time": 1763778000}',
    b'{"id": "x5", "type": "view", "user_id": "u1", "time": 1763778000000, "props": {"a": 1, "a": 2}}',
    b"\xff\xfe",
    b'"' + b"x" * 2_000_000 + b'"',
]
REASONS = Counter({"not_json": 2, "bad_field": 2, "bad_time": 1, "duplicate_key": 1, "too_large": 1})


def test_budgets_fallbacks_and_receipts_too(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", promotion=PROMOTION, scripted=SCRIPTED)
    events = [*random_events(400, seed=3), *random_receipts(40, seed=4)]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    expected = simulated(rules, events_of(file))
    assert {(r["outcome"], r["reason"], r.get("attempt")) for r in expected if r["activity"] == "promotion"} >= {
        ("send", None, None),
        ("send", None, 2),
        ("suppress", "budget", None),
        ("suppress", "once", None),
    }
    output = run(tmp_path, file, rules)
    assert in_order(lines_of(output, "decisions")) == in_order(expected)


def test_in_process_mode_and_with_bad_input(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", unpaid=UNPAID, third_view=THIRD, scripted=SCRIPTED)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join([*map(msgspec.json.encode, random_events(400, seed=3)), *BAD]))
    output = run(tmp_path, file, rules, "job.mode=process")
    expected = simulated(rules, events_of(file))
    assert {record["activity"] for record in expected} == {"unpaid", "third_view", "scripted"}
    assert in_order(lines_of(output, "decisions")) == in_order(expected)
    letters = lines_of(output, "dead-letters")
    assert Counter(letter["reason"] for letter in letters) == REASONS
    assert {letter["origin"] for letter in letters} == {f"line {401 + number}" for number in range(len(BAD))}
