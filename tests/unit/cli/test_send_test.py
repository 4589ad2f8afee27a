"""`kairos send-test`: marked, through the provider, and nowhere counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.cli_kit import run

RULES = {
    "coupons.yaml": "spring: {codes: redis}\n",
    "activities/t/waits.yaml": """activity: waits
trigger: {event: order}
audience: {where: number > 100}
data: {number: number, code: 'coupon("spring")'}
send:
  - {channel: email, template: waits}
  - {channel: sms, template: waits}
  - {channel: webhook}
""",
    "activities/t/waits.test.yaml": """start: 2026-11-02T12:00
profiles: {u1: {name: Ada, phone: "+1", email: ada@example.com}}
tests:
  - name: waits
    events: [{at: 0s, order: {user_id: u1, number: 800}}]
    expect: [{at: 0s, outcome: send, channel: email}]
""",
    "templates/waits.email.liquid": "Subject: Order {{ number }}\n\nDear {{ profile.name }}: {{ code }}\n",
    "templates/waits.sms.liquid": "Order {{ number }}: {{ code }}\n",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path, text in RULES.items():
        file = tmp_path / "rules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    channels = "".join(f"    {name}: {{provider: file, path: out.jsonl}}\n" for name in ("email", "sms"))
    conf = f"delivery:\n  store: sqlite:///ledger.db\n  channels:\n{channels}profiles:\n  file: people.json\n"
    (tmp_path / "conf.yaml").write_text(conf)
    (tmp_path / "people.json").write_text(json.dumps({"me": {"name": "Me", "email": "me@example.com"}}))
    return tmp_path


def sent(here: Path) -> list[dict[str, Any]]:
    file = here / "out.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_to_an_address_goes_what_is_of_its_kind_marked_with_the_values_of_the_example(here: Path) -> None:
    done = run("send-test", "waits", "--to", "boss@example.com", "--conf", "conf.yaml")
    assert done.exit_code == 0, done.output
    assert done.stdout == "waits: email to boss@example.com: taken\n"
    (mail,) = sent(here)
    assert (mail["test"], mail["headers"], mail["text"]) == (
        True, {"subject": "[Test] Order 800"}, "Dear Ada: SPRING-CODE",
    )  # fmt: skip
    assert mail["address"] == "boss@example.com"
    assert {path.name for path in here.iterdir()} == {"rules", "conf.yaml", "people.json", "out.jsonl"}  # no ledger


def test_to_a_user_goes_every_entry_that_reaches_her_with_her_own_profile(here: Path) -> None:
    done = run("send-test", "waits", "--to", "me", "--conf", "conf.yaml")
    assert done.exit_code == 2
    assert "delivery.channels.webhook" in done.stderr
    assert sent(here) == []
    done = run("send-test", "waits", "--to", "me", "--channel", "email", "--conf", "conf.yaml")
    assert done.exit_code == 0
    assert [mail["text"] for mail in sent(here)][-1] == "Dear Me: SPRING-CODE"
    done = run("send-test", "waits", "--to", "me", "--channel", "sms", "--conf", "conf.yaml")
    assert (done.exit_code, done.stdout) == (1, "waits: sms: not sent: no phone for sms\n")


def test_each_test_is_a_message_of_its_own(here: Path) -> None:
    for _ in range(2):
        run("send-test", "waits", "--to", "+49 151 000", "--conf", "conf.yaml")
    assert len({message["key"] for message in sent(here)}) == 2


@pytest.mark.parametrize(
    ("to", "more", "said"),
    [
        ("nobody", [], "nobody is known as nobody"),
        ("a@b.example", ["--channel", "push"], "sends nothing on push"),
        ("me", ["--channel", "push"], "sends nothing on push: it sends on email, sms and webhook"),
    ],
)
def test_what_cannot_be_sent_is_said(here: Path, to: str, more: list[str], said: str) -> None:
    done = run("send-test", "waits", "--to", to, "--conf", "conf.yaml", *more)
    assert done.exit_code == 2
    assert said in done.stderr
