"""`kairos new`, and the version."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kairos import __version__
from kairos.apps.cli import app
from tests.unit.cli.cli_kit import run


def test_the_version() -> None:
    assert run("--version").stdout == f"kairos {__version__}\n"


@pytest.mark.parametrize(
    "more", [("--unless", "order_paid", "--within", "90m"), ("--unless", "")], ids=["absent", "one event"]
)
def test_what_is_begun_lints_and_passes_its_example(rules: Path, more: tuple[str, ...]) -> None:
    result = run("new", "thanks", "--event", "order_created", *more, "--channel", "sms", "--rules", rules)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("a draft: ")
    assert result.stdout.splitlines() == [
        f"{rules}/activities/new/thanks.yaml",
        f"{rules}/activities/new/thanks.test.yaml",
        f"{rules}/templates/thanks.sms.liquid",
    ]
    assert run("lint", rules).stdout == "no findings\n"
    assert run("test", rules, "--activity", "thanks").stdout.endswith(" passed, 0 failed, of 1 activity\n")


def test_what_is_not_given_is_asked_for_with_the_events_that_are_there(rules: Path) -> None:
    """Enter at a question is an answer, and no option that is empty."""
    asked = CliRunner().invoke(app, ["new", "thanks", "--rules", str(rules)], input="order_created\n\n\n")
    assert asked.exit_code == 0, asked.output
    assert "events: order_created, order_paid" in asked.output
    assert (rules / "templates/thanks.push.liquid").exists()
    waits = CliRunner().invoke(app, ["new", "waits", "--rules", str(rules)], input="order_created\norder_paid\nemail\n")
    assert waits.exit_code == 0, waits.output
    assert "goal: {event: order_paid, within: 7d}" in (rules / "activities/new/waits.yaml").read_text()
    assert run("lint", rules).stdout == "no findings\n"


def test_a_text_that_nobody_has_written_is_found_once_it_is_no_draft(rules: Path) -> None:
    arguments = ("--event", "order_created", "--unless", "", "--channel", "email", "--rules", rules)
    assert run("new", "thanks", *arguments).exit_code == 0
    assert run("lint", rules).stdout == "no findings\n"
    path = rules / "activities/new/thanks.yaml"
    path.write_text(path.read_text().replace("state: draft", "state: live"))
    assert (
        "thanks.email.liquid:3:1: warning: this is the text that `kairos new` begins with" in run("lint", rules).stdout
    )


def test_nothing_is_overwritten(rules: Path) -> None:
    path = rules / "templates/order_unpaid.push.liquid"
    path.write_text("mine")
    arguments = ("--event", "order_created", "--unless", "", "--channel", "push", "--rules", rules)
    result = run("new", "order_unpaid", *arguments, "--theme", "other")
    assert (result.exit_code, result.stderr) == (2, f"kairos: {path} is already there\n")
    assert path.read_text() == "mine"
    assert not (rules / "activities/other").exists()


@pytest.mark.parametrize(
    ("name", "event", "channel", "said"),
    [
        ("thanks", "order_creatd", "push", "did you mean 'order_created'?"),
        ("thanks", "order_created", "mail", "did you mean 'email'?"),
        ("order_unpaid", "order_created", "push", "is there twice"),
    ],
)
def test_what_cannot_work_is_not_written(rules: Path, name: str, event: str, channel: str, said: str) -> None:
    before = sorted(path for path in rules.rglob("*"))
    result = run("new", name, "--event", event, "--unless", "", "--channel", channel, "--rules", rules)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.endswith("nothing was written\n")
    assert sorted(path for path in rules.rglob("*")) == before


@pytest.mark.parametrize("wrong", [("../../x",), ("x", "--theme", "../.."), ("Thank you",)])
def test_a_name_does_not_lead_out_of_the_folder(rules: Path, wrong: tuple[str, ...]) -> None:
    result = run("new", *wrong, "--event", "order_created", "--unless", "", "--channel", "push", "--rules", rules)
    assert result.exit_code == 2
    assert "expected names of a-z, 0-9 and _" in result.stderr
