"""What is loaded is in the tables, once."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from kairos.engine.decision import Record
from kairos.engine.warehouse.tables import DECISIONS
from tests.unit.warehouse.warehouse_kit import DAY, HOUR, NOON, decision, event, fill, receipt, rows


def contested(count: int) -> list[dict[str, Any]]:
    """Events of few keys: many are repeated, at other times (of other days, too) or with other props."""
    chance = random.Random(count)
    return [
        event(
            chance.choice("abc"),
            NOON + chance.choice((0, HOUR, DAY, 2 * DAY)),
            user_id=chance.choice(("u1", "u2")),
            type=chance.choice(("open", "buy")),
            props={"amount": chance.choice((9, 10, "x", None)), "note": chance.choice(("a", 'a"', "a b"))},
        )
        for _ in range(count)
    ]


def survivors(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The definition, said in Python: of those with one key the smallest (time, JSON text)."""

    def text(e: dict[str, Any]) -> str:
        return json.dumps(e["props"], separators=(",", ":"))

    best: dict[tuple[str, ...], dict[str, Any]] = {}
    for e in sorted(events, key=lambda e: (e["time"], text(e))):
        best.setdefault((e["user_id"], e["source"], e["type"], e["id"]), e)
    return sorted((e["user_id"], e["type"], e["id"], e["time"], text(e)) for e in best.values())


COLUMNS = "user_id, type, id, time_ms, props"


@pytest.mark.parametrize("size", [5, 40, 200])
def test_of_rows_with_one_key_the_smallest_stays_however_they_come(tmp_path: Path, size: int) -> None:
    events = contested(size)
    orders = {
        "whole": [events],
        "twice": [events, events],
        "backwards": [events[::-1]],
        "parts": [events[2::3], events[0::3], events[1::3]],
        "days backwards": [
            [e for e in events if e["time"] // DAY == day] for day in range(NOON // DAY + 2, NOON // DAY - 1, -1)
        ],
    }
    for name, loads in orders.items():
        for part in loads:
            fill(tmp_path / name, events=part)
        assert rows(tmp_path / name, "events", COLUMNS) == survivors(events), name


def test_a_row_lies_in_the_folder_of_its_day(tmp_path: Path) -> None:
    fill(tmp_path, events=[event("a", NOON), event("b", NOON + 12 * HOUR - 1), event("c", NOON + 12 * HOUR)])
    assert rows(tmp_path, "events", "id, CAST(dt AS VARCHAR)") == [
        ("a", "2026-11-02"),
        ("b", "2026-11-02"),
        ("c", "2026-11-03"),
    ]
    assert {p.parent.name for p in tmp_path.glob("events/*/*.parquet")} == {"dt=2026-11-02", "dt=2026-11-03"}


def test_a_receipt_is_one_whichever_file_it_stands_in(tmp_path: Path) -> None:
    told = [receipt(NOON, status="sent"), receipt(NOON + 1, status="read", occurrence=None, segments=3, attempt=2)]
    fill(tmp_path / "a", events=told)
    fill(tmp_path / "b", receipts=told)
    for name in "ab":
        assert rows(tmp_path / name, "receipts", "status, occurrence, attempt, channel, time_ms, segments") == [
            ("read", "", 2, "sms", NOON + 1, 3),
            ("sent", "o1", 1, "sms", NOON, 1),
        ]
        assert rows(tmp_path / name, "events") == []


def test_what_an_item_of_a_catalog_is_makes_nobody_known(tmp_path: Path) -> None:
    item = event("i", type="catalog.item", user_id="p1", props={"catalog": "products", "sku": "p1"})
    fill(tmp_path, events=[item, event("e")])
    assert rows(tmp_path, "events", "id") == [("e",)]


def test_a_decision_keeps_every_field_of_its_record(tmp_path: Path) -> None:
    shadow = decision(NOON + 1, occurrence="o2", attempt=2, shadow=True, choice={"by": "weight"}, degraded=True)
    fill(tmp_path, decisions=[decision(steps={"a": ["e1"]}, data={"n": 1.5}, value=3), shadow])
    columns = "occurrence, attempt, steps, data, value, choice, shadow, degraded"
    assert rows(tmp_path, "decisions", columns) == [
        ("o1", 1, '{"a":["e1"]}', '{"n":1.5}', "3", None, False, False),
        ("o2", 2, "{}", "{}", None, '{"by":"weight"}', True, True),
    ]
    kinds = {"attempt": "BIGINT", "at_ms": "BIGINT", "outcome": "VARCHAR", "reason": "VARCHAR", "shadow": "BOOLEAN"}
    assert {name: DECISIONS.types[name] for name in kinds} == kinds
    assert [c.name for c in DECISIONS.columns if c.json] == ["steps", "data", "value", "crowds", "choice"]
    assert len(DECISIONS.columns) == len(Record.__struct_fields__)


def test_what_is_on_trial_stands_beside_what_was_decided(tmp_path: Path) -> None:
    told = receipt(status="released", occurrence="o1", shadow=True)
    fill(tmp_path, decisions=[decision(), decision(shadow=True)], receipts=[told])
    assert rows(tmp_path, "decisions", "occurrence, shadow") == [("o1", False), ("o1", True)]
    assert rows(tmp_path, "receipts") == []


def test_rows_of_a_version_that_knew_fewer_columns_are_read_and_kept(tmp_path: Path) -> None:
    fill(tmp_path, decisions=[decision(), decision(occurrence="o2")])
    for path in tmp_path.glob("decisions/*/*.parquet"):
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop(["after_end"]), path)
    assert rows(tmp_path, "decisions", "occurrence, after_end") == [("o1", None), ("o2", None)]
    fill(tmp_path, decisions=[decision(), decision(occurrence="o3")])
    assert rows(tmp_path, "decisions", "occurrence, after_end") == [("o1", False), ("o2", None), ("o3", False)]


BROKEN: list[tuple[str, bytes | dict[str, Any]]] = [
    ("events", b'{"id": "e1"'),
    ("events", event(time=1)),
    ("events", receipt(activity=None)),
    ("decisions", b"[]"),
    ("decisions", decision(outcome="maybe")),
    ("decisions", decision(at=5)),
    ("receipts", event()),
    ("receipts", receipt(status=None)),
    ("receipts", receipt(attempt="2")),
]


@pytest.mark.parametrize(("kind", "line"), BROKEN)
def test_a_broken_line_is_reported_with_its_place_and_the_others_are_loaded(
    tmp_path: Path, kind: str, line: bytes | dict[str, Any]
) -> None:
    good = {"events": event(), "decisions": decision(), "receipts": receipt()}[kind]
    broken: list[tuple[str, int, str]] = []
    done = fill(tmp_path, broken=broken, **{kind: [b"", line, good]})
    assert [(name, number) for name, number, _ in broken] == [(f"{kind}.jsonl", 2)]
    assert done.broken == 1
    assert len(rows(tmp_path, kind)) == 1


def test_texts_of_all_kinds_come_back_as_they_went(tmp_path: Path) -> None:
    texts = ["", "\0", "a\0b", "'", '"', "\\", "\n", "日本語", "\U0001f600", "%", "x" * 255]
    events = [event(f"e{number}", user_id=f"u{text}", props={"p": text}) for number, text in enumerate(texts)]
    fill(tmp_path, events=events)
    found = {user: json.loads(props) for user, props in rows(tmp_path, "events", "user_id, props")}
    assert found == {e["user_id"]: e["props"] for e in events}


def test_the_newest_profile_stays_typed_and_without_addresses(tmp_path: Path) -> None:
    from kairos.engine.rule.model import RuleSet

    rules = RuleSet(profile={"level": "integer", "since": "time", "tags": "list", "member": "boolean"})
    old = {"u1": {"level": 1, "phone": "+8613800000000", "dead_addresses": ["a@example.com"]}, "u2": {"level": 7}}
    fill(tmp_path, profiles=old, rules=rules)
    new = {
        "u1": {"level": 2, "since": "2026-11-02T12:00:00Z", "tags": ["a"], "member": True, "phone": "+8613800000000"}
    }
    done = fill(tmp_path, profiles=new | {"u3": {"level": "high", "other": 1}}, rules=rules)
    assert rows(tmp_path, "profiles", "user_id, level, since, tags, member") == [
        ("u1", 2, NOON, '["a"]', True),
        ("u2", 7, None, None, None),
        ("u3", None, None, None, None),
    ]
    assert done.notes == [
        "'other' is not declared in profile.yaml; it is left out, everywhere",
        "u3.level: an integer is expected; left out",
    ]
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*.parquet"))
    assert b"13800000000" not in everything
    assert b"example.com" not in everything


def test_without_profile_yaml_the_values_say_the_types(tmp_path: Path) -> None:
    fill(tmp_path, profiles={"u1": {"city": "Bonn", "n": 1, "mixed": 1}, "u2": {"n": 1.5, "mixed": "x", "on": True}})
    assert rows(tmp_path, "profiles", 'user_id, city, n, mixed, "on"') == [
        ("u1", "Bonn", 1.0, "1", None),
        ("u2", None, 1.5, "x", True),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_decisions_and_receipts_too_do_not_depend_on_the_order_of_loads(tmp_path: Path, order: tuple[int, ...]) -> None:
    told = [decision(NOON + n, version=str(3 - n), reason=None if n else "x") for n in (0, 0, 1)]
    heard = [receipt(NOON + DAY * (n == 2), channel="sms" if n else None) for n in range(3)]
    for number in order:
        fill(tmp_path, decisions=[told[number]], receipts=[heard[number]])
    assert rows(tmp_path, "decisions", "at_ms, version, reason") == [(NOON, "3", "x")]
    assert rows(tmp_path, "receipts", "time_ms, channel") == [(NOON, "sms")]
