"""The embedded run decides what the engine alone decides on the same file, record for record."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.event_file import EventFile
from kairos.adapters.rule_files import read_folder
from kairos.apps.dataset import prepare
from kairos.apps.native.settings import data_folder
from kairos.engine.event import Event
from kairos.engine.rule.load import load
from kairos.engine.simulate import Simulation
from tests.flink.rules import PROMOTION, SCRIPTED, THIRD, UNPAID, write_rules
from tests.flink.support import JobProcess

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


T = 1_763_778_000_000


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
