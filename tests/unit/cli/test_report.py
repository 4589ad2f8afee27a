"""What a run left behind, summed up: counts that agree with the files, messages as a user would read them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kairos.adapters.files.run_folder import RunFolderError
from kairos.apps.view.report import mask, show
from kairos.engine.rule.content.rendering import Renderer
from kairos.usecases.results.report import TopicFile, report

TEMPLATES = {
    "left.email": "Subject: {{ n }} left\n\nHello {{ profile.name | default: 'you' }}, {{ n }} left.",
    "broken.sms": "{{ n | nonsense }}",
}


def record(activity: str, outcome: str, occurrence: str, **more: Any) -> dict[str, Any]:
    plain = {"version": "v", "variant": None, "template": None, "user_id": "u1", "at": 1709640000000, "reason": None}
    return plain | {
        "activity": activity,
        "outcome": outcome,
        "occurrence": occurrence,
        "channel": None,
        "steps": {},
        "data": {},
        **more,
    }


def delivery(activity: str, channel: str, template: str | None, **more: Any) -> dict[str, Any]:
    return {
        "activity": activity,
        "version": "v",
        "user_id": "u1",
        "occurrence": "o1",
        "attempt": 1,
        "channel": channel,
        "template": template,
        "at": 1709640000000,
        "values": {"profile.name": "Ada", "n": 3},
        **more,
    }


def write(path: Path, *lines: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def shown(folder: Path) -> str:
    out = io.StringIO()
    show(report(folder), Renderer(TEMPLATES), Console(file=out, width=140))
    return out.getvalue()


def test_decisions_are_counted_by_activity_outcome_channel_and_reason(tmp_path: Path) -> None:
    write(
        tmp_path / "decisions.jsonl",
        record("left", "send", "o1", channel="email"),
        record("left", "send", "o2", channel="sms"),
        record("left", "send", "o2", channel="sms"),  # a restored job repeats itself
        record("left", "send", "o2", channel="push", attempt=2),
        record("left", "hold", "o3", reason="quiet_hours"),
        record("left", "suppress", "o3", reason="once"),
        record("seen", "match", "o4"),
        record("seen", "goal", "o5"),
    )
    found = report(tmp_path)
    assert found.tallies["left"] == {
        "send": {"email": 1, "sms": 1, "push": 1},
        "hold": {"quiet_hours": 1},
        "suppress": {"once": 1},
    }
    assert found.tallies["seen"] == {"match": {"": 1}, "goal": {"": 1}}
    assert found.files["decisions"] == TopicFile(str(tmp_path / "decisions.jsonl"), 8)
    rows = [line.split() for line in shown(tmp_path).splitlines()]
    assert ["left", "send", "3", "email", "1,", "push", "1,", "sms", "1"] in rows
    assert ["hold", "1", "quiet_hours", "1"] in rows
    assert ["all", "send", "3", "email", "1,", "push", "1,", "sms", "1"] in rows


def test_part_files_of_flink_are_read_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    parts = tmp_path / "parts" / "topic=decisions"
    write(parts / "part-0-0", record("left", "send", "o1", channel="email"))
    write(parts / "part-1-0", record("left", "send", "o2", channel="email"))
    write(parts / ".part-1-1.inprogress", record("left", "send", "o3", channel="email"))
    assert report(tmp_path).tallies["left"]["send"] == {"email": 2}
    write(tmp_path / "decisions.jsonl", record("left", "send", "o1", channel="sms"))
    assert report(tmp_path).tallies["left"]["send"] == {"sms": 1}, (
        "the file that was made of the parts goes before them"
    )


def test_messages_are_rendered_and_addresses_masked(tmp_path: Path) -> None:
    write(tmp_path / "decisions.jsonl", record("left", "send", "o1", channel="email"))
    write(tmp_path / "deliveries.email.jsonl", delivery("left", "email", "left", address="ada@example.com"))
    write(tmp_path / "deliveries.webhook.jsonl", delivery("case", "webhook", None, values={"n": 3}))
    write(tmp_path / "deliveries.sms.jsonl", delivery("bad", "sms", "broken", address="+447700900123"))
    text = shown(tmp_path)
    assert "2024-03-05 12:00 left: email to a…@example.com\n    Subject: 3 left\n    Hello Ada, 3 left.\n" in text
    assert 'case: webhook\n    {"n":3}\n' in text
    assert "bad: sms to +447…23\n    (templates/broken.sms.liquid:1:8: unknown filter" in text
    assert "ada@example.com" not in text


def test_a_recall_is_no_message(tmp_path: Path) -> None:
    write(tmp_path / "decisions.jsonl", record("left", "send", "o1", channel="email"))
    recall = {"activity": "left", "user_id": "u1", "occurrence": "o1", "attempt": 1, "channel": "email", "at": 1}
    write(tmp_path / "deliveries.email.jsonl", recall)
    assert report(tmp_path).examples == []


def test_dead_letters_are_counted_by_reason_with_the_first_of_each(tmp_path: Path) -> None:
    write(tmp_path / "decisions.jsonl")
    letters = [{"reason": "bad_time", "message": f"line {n}", "origin": "file"} for n in range(3)]
    write(tmp_path / "dead-letters.jsonl", {"reason": "not_json", "message": "\x1b[2J", "origin": "file"}, *letters)
    text = shown(tmp_path)
    assert "Dead letters: 4" in text
    rows = [line.split() for line in text.splitlines() if "file" in line]
    assert ["bad_time", "3", "file", "line", "0"] in rows
    assert ["not_json", "1", "file", "\\x1b[2J"] in rows


def test_no_dead_letters_is_said_too(tmp_path: Path) -> None:
    write(tmp_path / "decisions.jsonl")
    assert "Dead letters: none" in shown(tmp_path)


def test_a_folder_without_decisions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no decisions here"):
        report(tmp_path / "nowhere")


def test_a_line_that_is_no_record_is_counted_and_named_and_the_rest_is_report(tmp_path: Path) -> None:
    write(tmp_path / "decisions.jsonl", {"activity": "left"}, record("left", "send", "o1", channel="email"))
    found = report(tmp_path)
    assert found.tallies["left"] == {"send": {"email": 1}}
    assert found.unreadable.counts == {"decisions": 1}
    ((origin, why),) = found.unreadable.first
    assert origin.endswith("decisions.jsonl:1")
    assert "missing required field" in why


@pytest.mark.parametrize(
    ("address", "masked"), [("ada@example.com", "a…@example.com"), ("+447700900123", "+447…23"), ("", "…")]
)
def test_mask(address: str, masked: str) -> None:
    assert mask(address) == masked
