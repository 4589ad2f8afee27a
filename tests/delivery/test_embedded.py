"""Deliveries of a run on files go through the worker: into files, at the times of their decisions."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.database.connection import open_engine
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.rules.store import open_rule_store
from kairos.apps.delivery.embedded import EmbeddedError, deliver
from tests.delivery.kit import BASE, HOUR, delivery, recall_of


def folder_with(folder: Path, *notes: Any) -> Path:
    part = folder / "parts" / "topic=deliveries.sms" / "part-0"
    part.parent.mkdir(parents=True)
    lines = [note if isinstance(note, bytes) else msgspec.json.encode(note) for note in notes]
    part.write_bytes(b"\n".join(lines) + b"\n")
    (folder / "parts" / "topic=decisions").mkdir()
    return folder


def rules(folder: Path) -> Any:
    (folder / "rules" / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "rules" / "policy.yaml").write_text("timezone: UTC\n")
    (folder / "rules" / "templates" / "t.sms.liquid").write_text("Hello {{ name }}\n")
    return open_rule_store(str(folder / "rules"))


def run(folder: Path) -> Counter[str]:
    return asyncio.run(deliver(folder / "run", rules(folder)))["sms"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def test_each_is_sent_at_the_time_of_its_decision_and_in_that_order(tmp_path: Path) -> None:
    made = [delivery(f"u{n}", at=n * HOUR, send_before=n * HOUR + 1, values={"name": f"N{n}"}) for n in range(700)]
    folder = folder_with(tmp_path / "run", *reversed(made))
    assert run(tmp_path) == {"sent": 700}
    sent = lines(folder / "outbox" / "sms.jsonl")
    assert [message["text"] for message in sent] == [f"Hello N{n}" for n in range(700)]
    receipts = lines(folder / "receipts.jsonl")
    assert {(r["user_id"], r["time"] - BASE, r["props"]["status"]) for r in receipts} == {
        (f"u{n}", n * HOUR, "delivered") for n in range(700)
    }
    row = SqlLedger(open_engine(f"sqlite:///{folder}/delivery.db")).find(delivery_key("nudge", "u7", "o1", 1))
    assert row is not None
    assert (row.state, row.settled_at) == ("sent", BASE + 7 * HOUR)


def test_a_second_run_starts_from_nothing(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "run", delivery(values={"name": "A"}))
    for _ in range(2):
        assert run(tmp_path) == {"sent": 1}
        assert len(lines(folder / "outbox" / "sms.jsonl")) == len(lines(folder / "receipts.jsonl")) == 1


def test_what_is_no_message_is_told(tmp_path: Path) -> None:
    late, hole, gone = (
        delivery("late", at=HOUR, send_before=0),
        delivery("hole"),
        delivery("gone", values={"name": "G"}),
    )
    notes = [late, hole, gone, {"recall": recall_of(gone, 1)}, b"{broken"]
    folder = folder_with(tmp_path / "run", *notes)
    counted = run(tmp_path)
    assert counted == {"expired": 1, "failed.content": 1, "sent": 1, "too_late": 1, "malformed": 1}
    assert [letter["reason"] for letter in lines(folder / "dead-letters.sms.jsonl")] == ["malformed", "content"]


def test_an_outbox_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    folder_with(tmp_path / "run", delivery(values={"name": "A"}))
    (tmp_path / "run" / "outbox").mkdir()
    (tmp_path / "run" / "outbox" / "sms.jsonl").symlink_to("/dev/full")
    with pytest.raises(EmbeddedError, match=r"sms\.jsonl: .*No space left"):
        run_without_clearing(tmp_path)


def run_without_clearing(folder: Path) -> None:
    """The link to a full disk would be cleared away with the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kairos.apps.delivery.embedded.clear", lambda _folder: None)
        run(folder)
