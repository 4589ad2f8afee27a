"""A plan whose texts have the names of others in the folder: it is said which, who sends them, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import run

PLAN = """plan: back
title: Back
why: To come back.
activity:
  title: Back
  trigger: {event: visit}
  data: {word: "'hi'"}
  send: [{channel: email, template: back}]
templates:
  back.email: |
    Subject: Hi

    {{ word }}
tests:
  profiles: {u1: {email: u1@example.com}}
  tests: [{name: m, events: [{at: 0s, visit: {user_id: u1}}], expect: [{at: 0s, outcome: send, channel: email}]}]
"""
THERE = """activity: old
state: live
trigger: {event: visit}
data: {other: "'x'"}
send: [{channel: email, template: back}]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "plans/back.yaml": PLAN,
        "rules/activities/t/old.yaml": THERE,
        "rules/templates/back.email.liquid": "Subject: Old\n\n{{ other }}\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_what_is_in_the_way_is_named_with_who_sends_it(here: Path) -> None:
    refused = run("plans", "use", "back")
    assert refused.exit_code == 2, refused.output
    assert "others here: templates/back.email.liquid; old sends them; with those it has errors" in refused.stderr
    assert not (here / "rules/activities/plans").exists()


def test_with_another_name_of_the_text_the_plan_can_be_used(here: Path) -> None:
    (here / "rules/templates/back.email.liquid").rename(here / "rules/templates/before.email.liquid")
    old = here / "rules/activities/t/old.yaml"
    old.write_text(old.read_text().replace("template: back", "template: before"))
    done = run("plans", "use", "back")
    assert done.exit_code == 0, done.output


def test_a_text_that_can_be_used_stays(here: Path) -> None:
    (here / "rules/templates/back.email.liquid").write_text("Subject: Old\n\nOld\n")
    done = run("plans", "use", "back")
    assert done.exit_code == 0, done.output
    assert "is there already and says something else: it stays" in done.stderr
