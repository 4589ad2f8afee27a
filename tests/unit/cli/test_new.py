"""`kairos new`, and the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos import __version__
from tests.unit.cli.cli_kit import run


def test_the_version() -> None:
    assert run("--version").stdout == f"kairos {__version__}\n"


@pytest.mark.parametrize(
    "more", [("--unless", "order_paid", "--within", "90m"), ("--unless", "")], ids=["absent", "one event"]
)
def test_what_is_begun_lints_and_passes_its_example(rules: Path, more: tuple[str, ...]) -> None:
    result = run("new", "thanks", "--event", "order_created", *more, "--channel", "sms", "--rules", rules)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{rules}/activities/new/thanks.yaml",
        f"{rules}/activities/new/thanks.test.yaml",
        f"{rules}/templates/thanks.sms.liquid",
    ]
    assert run("lint", rules).stdout == "no findings\n"
    assert run("test", rules, "--activity", "thanks").stdout.endswith(" passed, 0 failed, of 1 activity\n")


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
    assert sorted(path for path in rules.rglob("*")) == before


@pytest.mark.parametrize("wrong", [("../../x",), ("x", "--theme", "../.."), ("Thank you",)])
def test_a_name_does_not_lead_out_of_the_folder(rules: Path, wrong: tuple[str, ...]) -> None:
    result = run("new", *wrong, "--event", "order_created", "--unless", "", "--channel", "push", "--rules", rules)
    assert result.exit_code == 2
    assert "expected names of a-z, 0-9 and _" in result.stderr
