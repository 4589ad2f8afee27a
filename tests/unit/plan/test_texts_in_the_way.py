"""A plan whose texts have the names of others in the folder."""

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


def text_of(here: Path, name: str) -> str:
    return (here / f"rules/templates/{name}.email.liquid").read_text()


def test_a_text_of_another_keeps_its_name_and_the_plans_gets_one(here: Path) -> None:
    """It was refused: somebody had to rename the other's text, and all that send it."""
    done = run("plans", "use", "back")
    assert done.exit_code == 0, done.output
    assert "another text is called back here: the plan's is back_of_back" in done.stderr
    assert (text_of(here, "back"), "{{ word }}" in text_of(here, "back_of_back")) == (
        "Subject: Old\n\n{{ other }}\n",
        True,
    )
    assert "template: back_of_back" in (here / "rules/activities/plans/back.yaml").read_text()
    assert run("test", "rules").exit_code == 0


def test_nor_does_it_say_what_another_says_where_that_could_be_sent(here: Path) -> None:
    (here / "rules/templates/back.email.liquid").write_text("Subject: Old\n\nOld\n")
    (here / "rules/activities/t/old.yaml").write_text(THERE.replace("data: {other: \"'x'\"}\n", ""))
    assert run("plans", "use", "back").exit_code == 0
    assert "template: back_of_back" in (here / "rules/activities/plans/back.yaml").read_text()


def test_its_names_are_no_change_of_the_plan(here: Path) -> None:
    assert run("plans", "use", "back").exit_code == 0
    same = run("plans", "diff")
    assert (same.exit_code, "+" in same.stdout) == (0, False), same.stdout
    plan = here / "plans/back.yaml"
    plan.write_text(plan.read_text().replace("title: Back\n  trigger", "title: Back again\n  trigger"))
    changed = run("plans", "diff", "--apply")
    assert changed.exit_code == 0, changed.output
    written = (here / "rules/activities/plans/back.yaml").read_text()
    assert ("title: Back again" in written, "template: back_of_back" in written) == (True, True)


def test_two_that_came_from_one_plan_share_a_text_that_was_edited(here: Path) -> None:
    (here / "rules/templates/back.email.liquid").unlink()
    (here / "rules/activities/t/old.yaml").unlink()
    assert run("plans", "use", "back").exit_code == 0
    (here / "rules/templates/back.email.liquid").write_text("Subject: Edited\n\nEdited\n")
    done = run("plans", "use", "back", "--as", "once_more")
    assert done.exit_code == 0, done.output
    assert "is there already and says something else: it stays" in done.stderr


def test_a_text_that_nobody_sends_and_that_has_errors_is_named(here: Path) -> None:
    (here / "rules/activities/t/old.yaml").unlink()
    refused = run("plans", "use", "back")
    assert refused.exit_code == 2, refused.output
    assert "others here: templates/back.email.liquid; with those it has errors" in refused.stderr
